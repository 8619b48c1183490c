// `<kp-error>`: shows its `error`, an AuthError, with all that support would ask for.
import { isAuthError } from '/pkg/index.js'
import { part, stamp } from './dom.js'

class ErrorBox extends HTMLElement {
  connectedCallback() {
    // An alert must be there before it is filled, or it is not read out.
    this.setAttribute('role', 'alert')
  }

  /** @param {unknown} error nothing clears it */
  set error(error) {
    if (error === undefined) {
      this.replaceChildren()
      return
    }
    const content = stamp('error')
    if (isAuthError(error)) fill(content, error)
    else part(content, 'message').textContent = String(error)
    this.replaceChildren(content)
  }
}

/**
 * @param {DocumentFragment} content
 * @param {import('/pkg/index.js').AuthError} error
 */
function fill(
  content,
  { message, hint, code, status, serviceCode, requestId, retryable, candidates },
) {
  part(content, 'message').textContent = message
  part(content, 'hint').textContent = hint
  const facts = {
    Code: code,
    'Service’s code': serviceCode,
    'HTTP status': status,
    'Request ID': requestId,
    'Try again': retryable ? 'may succeed later' : undefined,
    Candidates: candidates?.map(({ name, guid }) => `${name} (${guid})`).join(', '),
  }
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined) continue
    const [row, term, detail, text] = ['div', 'dt', 'dd', 'code'].map((tag) =>
      document.createElement(tag),
    )
    term.textContent = name
    text.textContent = String(value)
    detail.append(text)
    row.append(term, detail)
    part(content, 'facts').append(row)
  }
}

customElements.define('kp-error', ErrorBox)
