// `<kp-copy label="the GUID of acme" verb="Copy">`: a button that puts its `text` on the clipboard.
import { announce } from './dom.js'

const SHOWN_MS = 2000

class Copy extends HTMLElement {
  /** What is copied, or what gives it. @type {string | (() => string | Promise<string>)} */
  text = ''

  connectedCallback() {
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'small'
    const shown = document.createElement('span')
    const verb = this.getAttribute('verb') ?? 'Copy'
    shown.textContent = verb
    const hidden = document.createElement('span')
    hidden.className = 'visually-hidden'
    hidden.textContent = ` ${this.getAttribute('label') ?? ''}`
    button.append(shown, hidden)
    button.addEventListener('click', async () => {
      const isCopied = await this.#copy()
      shown.textContent = isCopied ? 'Copied' : 'Not copied'
      setTimeout(() => {
        shown.textContent = verb
      }, SHOWN_MS)
    })
    this.replaceChildren(button)
  }

  async #copy() {
    try {
      const text = typeof this.text === 'function' ? await this.text() : this.text
      await navigator.clipboard.writeText(text)
      announce('Copied')
      return true
    } catch {
      announce('Not copied: the browser did not allow it, or the token could not be renewed')
      return false
    }
  }
}

customElements.define('kp-copy', Copy)
