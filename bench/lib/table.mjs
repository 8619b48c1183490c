// Tables as text and as Markdown: the first columns are texts, the others numbers.

/**
 * @param {string[][]} rows the first is the heading
 * @param {number} [texts] how many columns are texts
 * @returns {string}
 */
export function aligned(rows, texts = 1) {
  return lines(rows, texts, '  ').join('\n')
}

/**
 * @param {string[][]} rows the first is the heading
 * @param {number} [texts] how many columns are texts
 * @returns {string}
 */
export function markdown(rows, texts = 1) {
  const rule = widths(rows).map((width, at) =>
    at < texts ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  )
  const [head = '', ...body] = lines(rows, texts, ' | ')
  return [head, rule.join(' | '), ...body].map((line) => `| ${line} |`).join('\n')
}

/** @param {string[][]} rows */
function widths(rows) {
  return (rows[0] ?? []).map((_, at) => Math.max(3, ...rows.map((row) => (row[at] ?? '').length)))
}

/** @param {string[][]} rows @param {number} texts @param {string} gap */
function lines(rows, texts, gap) {
  const wide = widths(rows)
  return rows.map((row) =>
    row.map((cell, at) => (at < texts ? cell.padEnd(wide[at]) : cell.padStart(wide[at]))).join(gap),
  )
}
