// `<kp-places>`: names of org, space and instance to GUIDs. Sends `aimed` with a session for the
// instance, or without one.
import { announce, part, stamp } from './dom.js'

class Places extends HTMLElement {
  /** @type {import('/pkg/index.js').Session} */
  session
  /** @type {Record<string, string>} */
  demo = {}

  /** @type {AbortController | undefined} */
  #lookup

  connectedCallback() {
    const content = stamp('places')
    const form = part(content, 'form')
    for (const name of ['org', 'space', 'instance']) {
      form.elements.namedItem(name).value = this.demo[name] ?? ''
    }
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      this.#lookUp()
    })
    // A GUID must not stand below a name that it does not belong to.
    form.addEventListener('input', ({ target }) => part(this, target.name).replaceChildren())
    this.replaceChildren(content)
    if (form.checkValidity()) this.#lookUp()
  }

  disconnectedCallback() {
    this.#lookup?.abort()
  }

  async #lookUp() {
    this.#lookup?.abort()
    const lookup = new AbortController()
    this.#lookup = lookup
    const { signal } = lookup
    const { session } = this
    const names = Object.fromEntries(new FormData(part(this, 'form')))

    const org = this.#show('org', names.org, signal, () => session.orgGuid(names.org, { signal }))
    const space = org.then((guid) => {
      if (guid === undefined) return this.#say('space', 'Needs the organization.')
      const options = { org: { guid }, signal }
      return this.#show('space', names.space, signal, () => session.spaceGuid(names.space, options))
    })
    /** @type {import('/pkg/index.js').Session | undefined} */
    let aimed
    // Not by `instanceGuid`: a session that knows the instance knows its region too.
    const instance = this.#show('instance', names.instance, signal, async () => {
      aimed = await session.with({ instance: names.instance }, { signal })
      return aimed.target().instance?.guid
    })
    const guids = await Promise.all([org, space, instance])
    if (signal.aborted) return
    announce(`${guids.filter((guid) => guid !== undefined).length} of 3 names found`)
    this.dispatchEvent(new CustomEvent('aimed', { detail: aimed }))
  }

  /** @param {string} place @param {string} text */
  #say(place, text) {
    const hint = document.createElement('p')
    hint.className = 'hint'
    hint.textContent = text
    part(this, place).replaceChildren(hint)
  }

  /**
   * @param {string} place
   * @param {string | undefined} name
   * @param {AbortSignal} signal
   * @param {() => Promise<string | undefined>} find
   * @returns {Promise<string | undefined>} the GUID, where there is one
   */
  async #show(place, name, signal, find) {
    this.#say(place, 'Looking it up …')
    try {
      const guid = await find()
      if (guid === undefined || signal.aborted) return undefined
      const code = document.createElement('code')
      code.textContent = guid
      const copy = document.createElement('kp-copy')
      copy.setAttribute('label', `the GUID of ${name}`)
      copy.text = guid
      part(this, place).replaceChildren(code, copy)
      return guid
    } catch (error) {
      if (signal.aborted) return undefined
      const shown = document.createElement('kp-error')
      part(this, place).replaceChildren(shown)
      shown.error = error
      return undefined
    }
  }
}

customElements.define('kp-places', Places)
