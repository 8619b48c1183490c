// What the elements share: templates, shortened secrets, words for people who do not see the page.

/** A copy of a template of index.html. @param {string} id @returns {DocumentFragment} */
export function stamp(id) {
  const template = document.getElementById(id)
  return document.importNode(template.content, true)
}

/** The element that is named so by `data-part`. @param {ParentNode} root @param {string} name */
export function part(root, name) {
  return root.querySelector(`[data-part="${name}"]`)
}

/** Has screen readers say something that others see by themselves. @param {string} text */
export function announce(text) {
  const status = document.getElementById('status')
  if (status) status.textContent = text
}

/** As much of a token or header as may stand in a page. @param {string} secret */
export function shortened(secret) {
  return `${secret.slice(0, 15)}… (${secret.length} characters)`
}
