// What the tests of sessions share: what is heard of a session, and answers that can be held back.

export const HOUR = 3_600_000

/** Hears a session's events; `next(type)` resolves to the next one of that type. */
export function listener() {
  const events = []
  let waiting = []
  return {
    events,
    of: (type) => events.filter((event) => event.type === type),
    onEvent(event) {
      events.push(event)
      const heard = waiting.filter(({ type }) => type === event.type)
      waiting = waiting.filter(({ type }) => type !== event.type)
      for (const { resolve } of heard) resolve(event)
    },
    next: (type) => new Promise((resolve) => waiting.push({ type, resolve })),
  }
}

/** A door that answers wait at; `arrived` resolves when the first has come to it. */
export function door() {
  const it = {}
  const opened = new Promise((open) => {
    it.open = open
  })
  it.arrived = new Promise((arrive) => {
    it.pass = () => {
      arrive()
      return opened
    }
  })
  return it
}

/** How often a function enters the core: all that goes in goes in as JSON. */
export function coreCalls(run) {
  const { stringify } = JSON
  let count = 0
  JSON.stringify = (...args) => {
    count += 1
    return stringify(...args)
  }
  try {
    run()
  } finally {
    JSON.stringify = stringify
  }
  return count
}
