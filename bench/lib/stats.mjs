// Medians, quartiles, and ratios of what was measured in the same rounds.

/** @typedef {{ median: number, q1: number, q3: number }} Spread */
/**
 * `ofMedians` is the figure; `perRound` says how far to trust it.
 * @typedef {{ ofMedians: number, perRound: Spread }} Ratio
 */

/** @param {number[]} values @returns {Spread} */
export function spread(values) {
  return { median: quantile(values, 0.5), q1: quantile(values, 0.25), q3: quantile(values, 0.75) }
}

/** @param {number[]} ours @param {number[]} theirs of the same rounds @returns {Ratio} */
export function ratio(ours, theirs) {
  return {
    ofMedians: quantile(ours, 0.5) / quantile(theirs, 0.5),
    perRound: spread(ours.map((value, round) => value / (theirs[round] ?? Number.NaN))),
  }
}

/** Linear between neighbours. @param {number[]} values @param {number} share */
function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}
