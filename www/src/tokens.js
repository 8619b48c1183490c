// `<kp-tokens>`: both tokens, shortened, and how long they still live. Whole they go to the
// clipboard alone.
import { part, shortened, stamp } from './dom.js'

const LOOK_MS = 1000
const AFTER_FAILURE_MS = 15_000
const KINDS = [
  ['iam', 'IAM'],
  ['uaa', 'UAA (Cloud Foundry)'],
]

class Tokens extends HTMLElement {
  /** @type {import('/pkg/index.js').Session} */
  session

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer
  /** @type {Map<string, { header: string, from: number, until: number }>} */
  #known = new Map()

  connectedCallback() {
    this.replaceChildren(stamp('tokens'))
    for (const [kind, title] of KINDS) this.#addRow(kind, title)
    this.#show()
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
    this.#known.clear()
  }

  /** @param {'iam' | 'uaa'} kind @param {string} title */
  #addRow(kind, title) {
    const row = stamp('token')
    row.firstElementChild?.setAttribute('data-part', kind)
    part(row, 'kind').textContent = title
    part(row, 'meter').setAttribute('aria-label', `Life left of the ${title} token`)
    const copy = part(row, 'copy')
    copy.setAttribute('label', `of the ${title} token`)
    copy.setAttribute('verb', 'Copy header')
    copy.text = async () => `Authorization: ${(await this.session.oauthTokens())[kind]}`
    part(this, 'rows').append(row)
  }

  /** Asking each second costs nothing while a token is good, and renews it in time. */
  async #show() {
    const error = this.querySelector('kp-error')
    let next = LOOK_MS
    try {
      const headers = await this.session.oauthTokens()
      for (const [kind] of KINDS) this.#showRow(kind, headers[kind])
      error.error = undefined
    } catch (thrown) {
      error.error = thrown
      next = AFTER_FAILURE_MS
    }
    if (this.isConnected) this.#timer = setTimeout(() => this.#show(), next)
  }

  /** @param {'iam' | 'uaa'} kind @param {string | undefined} header */
  #showRow(kind, header) {
    const row = part(this, kind)
    if (row === null) return
    for (const name of ['copy', 'meter']) part(row, name).hidden = header === undefined
    if (header === undefined) {
      part(row, 'shown').textContent = 'none'
      part(row, 'left').textContent = 'The service gave no such token to this login.'
      return
    }
    let known = this.#known.get(kind)
    if (known?.header !== header) {
      const until = this.session.tokens()[kind]?.expiresAt ?? Date.now()
      known = { header, from: Date.now(), until }
      this.#known.set(kind, known)
      part(row, 'shown').textContent = shortened(header)
    }
    const left = Math.max(0, known.until - Date.now())
    const meter = part(row, 'meter')
    meter.max = known.until - known.from
    meter.value = left
    part(row, 'left').textContent = `Lives ${inWords(left)} more`
  }
}

/** @param {number} ms */
function inWords(ms) {
  const seconds = Math.floor(ms / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  const rest = `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
  return hours > 0 ? `${hours} h ${rest}` : rest
}

customElements.define('kp-tokens', Tokens)
