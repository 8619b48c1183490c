// `<kp-keys>`: the keys of the instance that its session is aimed at, and the headers that got them.
import { announce, part, shortened, stamp } from './dom.js'

const STATES = {
  0: 'Pre-activation',
  1: 'Active',
  2: 'Suspended',
  3: 'Deactivated',
  5: 'Destroyed',
}

class Keys extends HTMLElement {
  /** @type {import('/pkg/index.js').Session | undefined} */
  #session
  /** @type {AbortController | undefined} */
  #reading

  connectedCallback() {
    this.replaceChildren(stamp('keys'))
    part(this, 'copy').text = async () =>
      Object.entries((await this.#session?.headers()) ?? {})
        .map(([name, value]) => `${name}: ${value}`)
        .join('\n')
    this.#show()
  }

  disconnectedCallback() {
    this.#reading?.abort()
  }

  /** @param {import('/pkg/index.js').Session | undefined} session */
  set session(session) {
    this.#session = session
    if (this.isConnected) this.#show()
  }

  get session() {
    return this.#session
  }

  async #show() {
    this.#reading?.abort()
    const reading = new AbortController()
    this.#reading = reading
    const { signal } = reading
    const session = this.#session
    const instance = session?.target().instance
    const list = part(this, 'list')
    const said = part(this, 'said')
    const error = this.querySelector('kp-error')
    list.replaceChildren()
    error.error = undefined
    part(this, 'of').textContent = instance ? `of ${instance.name ?? instance.guid}` : ''
    part(this, 'sent').hidden = true
    said.textContent = session ? 'Reading …' : 'Look up an instance to see its keys.'
    if (!session) return
    try {
      for await (const key of session.keys({ signal })) list.append(row(key))
      const headers = Object.entries(await session.headers())
      if (signal.aborted) return
      said.textContent = count(list.children.length)
      part(this, 'headers').textContent = headers
        .map(([name, value]) => `${name}: ${name === 'Authorization' ? shortened(value) : value}`)
        .join('\n')
      part(this, 'sent').hidden = false
      announce(`${said.textContent} ${part(this, 'of').textContent}`)
    } catch (thrown) {
      if (signal.aborted) return
      said.textContent = ''
      error.error = thrown
    }
  }
}

/** @param {import('/pkg/index.js').Key} key */
function row({ id, name = 'without a name', state = 1, extractable }) {
  const item = stamp('key')
  part(item, 'name').textContent = name
  part(item, 'kind').textContent = extractable ? 'Standard key' : 'Root key'
  part(item, 'state').textContent = STATES[state] ?? `State ${state}`
  part(item, 'state').classList.toggle('good', state === 1)
  part(item, 'id').textContent = id
  part(item, 'copy').setAttribute('label', `the id of ${name}`)
  part(item, 'copy').text = id
  return item
}

/** @param {number} n */
function count(n) {
  if (n === 0) return 'No keys'
  return n === 1 ? '1 key' : `${n} keys`
}

customElements.define('kp-keys', Keys)
