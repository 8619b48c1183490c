/**
 * The emulated world: what it holds by default, and what an entry gets that its author left out.
 */

import { guidFrom, hex32 } from './derive.js'

/** @import { EmulatorData, FullData, InstanceData } from './types.js' */

/** Key Protect's id in IBM's catalog (the Resource Controller's `resource_id`). */
export const KEY_PROTECT_ID = 'ee41347f-b18e-4ca6-bf80-b5467c63f9a6'

/** When everything was made that does not say so itself. */
export const MADE_AT = '2026-01-02T03:04:05Z'

/**
 * @param {number} seed
 * @returns {EmulatorData}
 */
function defaults(seed) {
  return {
    seed,
    accounts: [{ name: 'Acme' }, { name: 'Globex' }],
    users: [
      {
        userName: 'user@example.com',
        password: 'correct horse',
        givenName: 'Una',
        familyName: 'User',
      },
      {
        userName: 'federated@example.com',
        password: 'battery staple',
        federated: true,
        givenName: 'Fay',
        familyName: 'Federated',
      },
    ],
    apiKeys: [
      { key: 'emulator-api-key', name: 'demo' },
      { key: 'emulator-disabled-api-key', name: 'old', disabled: true },
      {
        key: 'emulator-service-api-key',
        iamId: `iam-ServiceId-${guidFrom(seed, 'service id', 'ci')}`,
        name: 'ci',
      },
    ],
    profiles: [{ name: 'kp-reader', crTokens: ['emulator-cr-token'] }],
    orgs: [{ name: 'acme' }, { name: 'beta' }],
    spaces: [
      { name: 'dev', org: 'acme', keys: [{ name: 'legacy-key' }, { name: 'legacy-backup-key' }] },
      { name: 'dev', org: 'beta', keys: [] },
      { name: 'prod', org: 'beta', keys: [{ name: 'beta-key' }] },
    ],
    instances: [
      {
        name: 'kp-demo',
        region: 'us-south',
        keys: [
          { name: 'demo-root-key', description: 'Wraps the data keys of the demo' },
          { name: 'demo-standard-key', extractable: true },
          { name: 'demo-old-key', state: 3 },
        ],
      },
      { name: 'kp-eu', region: 'eu-de', keys: [{ name: 'eu-root-key', imported: true }] },
    ],
    clients: [
      { service: 'iam', clientId: 'bx', clientSecret: 'bx' },
      {
        service: 'uaa',
        clientId: 'cf',
        clientSecret: '',
        grants: ['password', 'refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
      },
    ],
    iam: { uaa: 'issued', accessTokenSeconds: 3600, refreshTokenSeconds: 2_592_000 },
    keyProtect: {},
  }
}

/**
 * @param {Partial<EmulatorData>} given
 * @returns {EmulatorData} a copy, complete
 */
export function worldOf(given) {
  const base = defaults(given.seed ?? 1)
  const stranger = Object.keys(given).find((name) => !(name in base))
  if (stranger !== undefined) throw new TypeError(`unknown emulator data: ${stranger}`)
  const known = Object.fromEntries(Object.entries(given).filter(([, part]) => part !== undefined))
  const data = structuredClone({ ...base, ...known })
  data.iam = { ...base.iam, ...data.iam }
  complete(data)
  return data
}

/**
 * Fills in, in place, what entries leave out; each derived from the seed and the entry's name.
 * @param {EmulatorData} data
 * @returns {FullData} the same object
 */
export function complete(data) {
  const { seed, accounts, users, apiKeys, profiles, orgs, spaces, instances } = data

  fill(accounts, 'id', ({ name }, n) => hex32(seed, 'account', name, n))
  const accountId = (/** @type {string | undefined} */ nameOrId) =>
    accounts.find(({ id }) => id === nameOrId)?.id ??
    accounts.find(({ name }) => name === nameOrId)?.id

  for (const user of users) {
    user.origin ??= 'uaa'
    user.email ??= user.userName
    user.accounts = (user.accounts ?? accounts.map(({ name }) => name)).map(
      (nameOrId) => accountId(nameOrId) ?? nameOrId,
    )
  }
  fill(users, 'guid', ({ userName, origin = '' }, n) => guidFrom(seed, 'user', userName, origin, n))
  fill(users, 'iamId', ({ userName, origin = '' }, n) => {
    return `IBMid-${hex32(seed, 'iam id', userName, origin, n).slice(0, 10).toUpperCase()}`
  })
  for (const apiKey of apiKeys) {
    apiKey.iamId ??= users[0]?.iamId ?? 'IBMid-NOBODY'
    apiKey.account = accountId(apiKey.account) ?? apiKey.account ?? accounts[0]?.id ?? ''
  }

  fill(profiles, 'id', ({ name, account = '' }, n) => {
    return `iam-Profile-${guidFrom(seed, 'profile', account, name, n)}`
  })
  for (const profile of profiles) {
    profile.account = accountId(profile.account) ?? profile.account ?? accounts[0]?.id ?? ''
    const scope = `a/${profile.account}`
    const id = (profile.id ?? '').replace(/^iam-/, '')
    profile.crn ??= `crn:v1:bluemix:public:iam-identity::${scope}::profile:${id}`
  }

  fill(orgs, 'guid', ({ name }, n) => guidFrom(seed, 'org', name, n))
  const orgGuids = new Set(orgs.map(({ guid }) => guid))
  for (const space of spaces) {
    if (!orgGuids.has(space.org)) {
      space.org = orgs.find(({ name }) => sameName(name, space.org))?.guid ?? space.org
    }
  }
  fill(spaces, 'guid', ({ name, org }, n) => guidFrom(seed, 'space', org, name, n))

  for (const instance of instances) completeInstance(instance)
  fill(instances, 'guid', ({ name, region = '' }, n) => guidFrom(seed, 'instance', region, name, n))
  for (const instance of instances) {
    instance.account = accountId(instance.account) ?? instance.account ?? accounts[0]?.id ?? ''
    instance.resourceGroup ??= hex32(seed, 'resource group', instance.account)
    instance.crn ??= [
      `crn:v1:bluemix:public:${instance.service}:${instance.region}`,
      `a/${instance.account}:${instance.guid}::`,
    ].join(':')
  }
  for (const owner of [...instances, ...spaces]) {
    const { guid = '' } = owner
    fill(owner.keys ?? [], 'id', ({ name }, n) => guidFrom(seed, 'key', guid, name, n))
  }
  return /** @type {FullData} */ (data)
}

/** @param {InstanceData} instance */
function completeInstance(instance) {
  // Where only the CRN is given, it names the rest: its fifth, sixth and eighth field.
  const [, , , , service, region, scope, guid] = instance.crn?.split(':') ?? []
  instance.service ??= service || 'kms'
  instance.region ??= region || 'us-south'
  if (guid) instance.guid ??= guid
  if (scope?.startsWith('a/')) instance.account ??= scope.slice(2)
  instance.resourceId ??= KEY_PROTECT_ID
  instance.state ??= 'active'
}

/**
 * Gives each entry that lacks `field` a value of its own.
 * @template {string} F
 * @template {{ [field in F]?: string | undefined }} T
 * @param {T[]} list
 * @param {F} field
 * @param {(entry: T, attempt: number) => string} make
 */
function fill(list, field, make) {
  const lacking = list.filter((entry) => entry[field] === undefined)
  if (lacking.length === 0) return
  /** @type {Set<unknown>} */
  const taken = new Set(list.map((entry) => entry[field]))
  for (const entry of lacking) {
    let attempt = 0
    let value = make(entry, attempt)
    while (taken.has(value)) {
      attempt += 1
      value = make(entry, attempt)
    }
    taken.add(value)
    Object.assign(entry, { [field]: value })
  }
}

/**
 * Names of users, orgs and spaces compare without case.
 * @param {string} a
 * @param {string} b
 */
export function sameName(a, b) {
  return a.toLowerCase() === b.toLowerCase()
}
