/**
 * The shapes that the emulator takes and gives. No code.
 *
 * Instants are milliseconds since the epoch, unless a name says seconds; text instants are ISO 8601.
 */

/**
 * @typedef {object} AccountData
 * @property {string} name
 * @property {string} [id] 32 hexadecimal digits; derived where left out
 */

/**
 * @typedef {object} UserData
 * @property {string} userName compared without case, as both services do
 * @property {string} [password] without one nobody signs in by password
 * @property {boolean} [federated] the password counts on the sign-in page alone: the password grants
 *   refuse it (IAM: BXNIM0608E), a passcode or an API key is wanted
 * @property {string} [origin] UAA's identity provider; `"uaa"` by default
 * @property {string} [guid] UAA's `user_id`
 * @property {string} [iamId] such as `IBMid-1234567890`
 * @property {string} [givenName]
 * @property {string} [familyName]
 * @property {string} [email] the user name by default
 * @property {string[]} [accounts] ids (a name is replaced by its id); all accounts by default
 */

/**
 * @typedef {object} ApiKeyData
 * @property {string} key the secret itself
 * @property {string} [iamId] whose key it is: a user's, or `iam-ServiceId-…`; the first user's by default
 * @property {string} [account] id (a name is replaced by its id); the first one by default
 * @property {string} [name] of the key; of the service id where it is one's
 * @property {boolean} [disabled] then IAM answers BXNIM0462E
 */

/**
 * A trusted profile.
 * @typedef {object} ProfileData
 * @property {string} name unique in its account
 * @property {string} [id] such as `iam-Profile-…`
 * @property {string} [crn]
 * @property {string} [account] id (a name is replaced by its id); the first one by default
 * @property {string[]} [crTokens] the tokens of the compute resources that are linked to it
 * @property {string[]} [trusted] ids (`iam_id`) of who may assume it; everybody by default
 */

/**
 * @typedef {object} OrgData
 * @property {string} name
 * @property {string} [guid]
 * @property {string[]} [members] user names that see it; everybody by default
 * @property {boolean} [suspended]
 * @property {string} [createdAt]
 * @property {string} [updatedAt]
 */

/**
 * @typedef {object} SpaceData
 * @property {string} name
 * @property {string} org GUID of its organization (a name is replaced by its GUID)
 * @property {string} [guid]
 * @property {string[]} [members] user names that see it; everybody who sees the org by default
 * @property {KeyData[]} [keys] the space's Key Protect keys, as in 2017
 * @property {string} [createdAt]
 * @property {string} [updatedAt]
 */

/**
 * @typedef {object} InstanceData
 * @property {string} name not unique
 * @property {string} [guid]
 * @property {string} [crn]
 * @property {string} [region] `"us-south"` by default
 * @property {string} [account] id (a name is replaced by its id); the first one by default
 * @property {string} [resourceGroup] id of the group
 * @property {string} [resourceId] the service's id in the catalog; Key Protect's by default
 * @property {string} [service] the service's name in the CRN; `"kms"` by default
 * @property {string} [state] `"active"` by default; also `provisioning`, `inactive`, `pending_reclamation`, …
 * @property {Record<string, unknown>} [extensions] as the Resource Controller hands them out
 * @property {KeyData[]} [keys]
 * @property {string} [createdAt]
 */

/**
 * @typedef {object} KeyData
 * @property {string} name
 * @property {string} [id]
 * @property {number} [state] 0 pre-activation, 1 active (default), 2 suspended, 3 deactivated, 5 destroyed
 * @property {boolean} [extractable] true = standard key, false (default) = root key
 * @property {boolean} [imported]
 * @property {string} [description]
 * @property {string} [keyRing] `"default"` by default
 * @property {string} [createdAt]
 */

/**
 * @typedef {object} ClientData
 * @property {'iam' | 'uaa'} service where it is registered
 * @property {string} clientId compared with case
 * @property {string} [clientSecret] may be empty; without one it is a public client
 * @property {string[]} [grants] UAA grant types; `password` and `refresh_token` by default
 * @property {string[]} [scope] what a user can have through it (UAA); the `cf` client's by default
 * @property {string[]} [authorities] what it can have itself by `client_credentials` (UAA)
 * @property {number} [accessTokenSeconds] UAA: 1200 by default
 * @property {number} [refreshTokenSeconds] UAA: 2592000 (30 days) by default
 */

/**
 * @typedef {object} IamData
 * @property {'issued' | 'absent' | 'refused'} [uaa] what comes of `response_type=cloud_iam,uaa`: a UAA
 *   token (as in 2017), an answer without one (as today), or 400 BXNIM0106E
 * @property {number} [accessTokenSeconds] 3600 by default (an account setting, 900 to 3600)
 * @property {number} [refreshTokenSeconds] 2592000 (30 days) by default
 */

/**
 * @typedef {object} KeyProtectData
 * @property {string} [region] serve this region's instances alone; all regions where left out
 */

/**
 * The emulated world. What an entry leaves out is derived from `seed` and filled in, at once or,
 * for what a test pushes later, at the next request.
 * @typedef {object} EmulatorData
 * @property {number} seed same seed, same ids, tokens and passcodes
 * @property {AccountData[]} accounts
 * @property {UserData[]} users
 * @property {ApiKeyData[]} apiKeys
 * @property {ProfileData[]} profiles
 * @property {OrgData[]} orgs
 * @property {SpaceData[]} spaces
 * @property {InstanceData[]} instances
 * @property {ClientData[]} clients
 * @property {IamData} iam
 * @property {KeyProtectData} keyProtect
 */

/**
 * @typedef {object} EmulatorOptions
 * @property {Partial<EmulatorData>} [data] laid over the defaults; a list replaces the default list
 * @property {boolean} [cors] every service answers cross-origin calls, for demos; by default only
 *   UAA does, as in reality
 * @property {boolean} [loose] unknown, repeated and not emulated parameters pass
 * @property {number} [now] milliseconds since the epoch: the clock stands there and moves by
 *   `advance` and `sleep` alone; by default real time passes
 */

/**
 * @typedef {object} EmulatorClock
 * @property {() => number} now milliseconds since the epoch, as the client has it
 * @property {() => number} monotonic milliseconds since some instant; not moved by `skew`
 * @property {(ms: number, options?: { signal?: AbortSignal | null }) => Promise<void>} sleep moves the
 *   time on, and resolves a turn of the event loop later (sleepers wake in the order of their ends);
 *   rejects with the signal's reason
 * @property {(ms: number) => void} advance moves both clocks on
 * @property {(ms: number) => void} skew sets by how much the services' clock is ahead of `now()`:
 *   tokens' `iat` and `exp`, `expiration` and the `Date` header follow it
 */

/**
 * One request, as the emulator saw it. Secrets stand as `fp:` and 8 digits of their SHA-256.
 * @typedef {object} RequestRecord
 * @property {ServiceName | 'none'} service
 * @property {string} method
 * @property {string} route the service's own path, as a pattern: `/v3/organizations/{guid}`; empty if unknown
 * @property {string} [grant] last part of the `grant_type`: `apikey`, `password`, `refresh_token`, …
 * @property {number} status 0 while the request is under way
 * @property {Record<string, string>} headers names in lower case
 * @property {Record<string, string | string[]>} [form] a list where a parameter was repeated
 * @property {Record<string, string | string[]>} [query]
 */

/**
 * A part of a record that must be equal, or a test of one.
 * @typedef {Partial<RequestRecord> | ((record: RequestRecord) => boolean)} RequestMatch
 */

/**
 * @typedef {RequestRecord[] & { count(match?: RequestMatch): number, clear(): void }} RequestLog
 */

/**
 * @typedef {object} Emulator
 * @property {{ apiKey: string }} credential signs in: the first API key that is not disabled
 * @property {{ endpoints: { base: string }, fetch: EmulatorFetch, clock: EmulatorClock }} options
 *   ready for `login(emulator.credential, emulator.options)`
 * @property {EmulatorFetch} fetch a fetch-style handler, and a `fetch`; hands redirects back, never
 *   follows them
 * @property {{ base: string }} endpoints
 * @property {EmulatorData} data live: what a test changes counts from the next request on
 * @property {RequestLog} requests live, oldest first
 * @property {EmulatorClock} clock
 * @property {(userName?: string) => string} passcode a one-time passcode of this user (the first one by
 *   default) that IAM and UAA take, as their passcode pages give it; valid for 5 minutes
 * @property {() => void} reset back to the start: data, refresh tokens, passcodes, sessions, lock-outs,
 *   requests and clock (a signed access token is good until it ends, as in reality)
 */

/** @typedef {(input: Request | URL | string, init?: RequestInit) => Promise<Response>} EmulatorFetch */

/** @typedef {'iam' | 'uaa' | 'cf' | 'kp' | 'rc' | 'accounts'} ServiceName */

/**
 * What the services work on: the data with all that was left out filled in.
 * @typedef {AccountData & { id: string }} Account
 * @typedef {UserData & { origin: string, guid: string, iamId: string, accounts: string[] }} User
 * @typedef {ApiKeyData & { iamId: string, account: string }} ApiKey
 * @typedef {ProfileData & { id: string, crn: string, account: string }} Profile
 * @typedef {OrgData & { guid: string }} Org
 * @typedef {SpaceData & { guid: string }} Space
 * @typedef {InstanceData & { guid: string, crn: string, region: string, account: string,
 *   resourceGroup: string, resourceId: string, service: string, state: string }} Instance
 * @typedef {KeyData & { id: string }} Key
 */

/**
 * @typedef {object} FullData
 * @property {number} seed
 * @property {Account[]} accounts
 * @property {User[]} users
 * @property {ApiKey[]} apiKeys
 * @property {Profile[]} profiles
 * @property {Org[]} orgs
 * @property {Space[]} spaces
 * @property {Instance[]} instances
 * @property {ClientData[]} clients
 * @property {IamData} iam
 * @property {KeyProtectData} keyProtect
 */

/**
 * @typedef {object} Reply
 * @property {number} status
 * @property {Record<string, string>} headers
 * @property {string} body
 */

/**
 * One request, as a service sees it.
 * @typedef {object} Call
 * @property {import('./world.js').World} world
 * @property {FullData} data
 * @property {string} method
 * @property {string} origin of the request; links and issuers are built from it
 * @property {string} base origin and folder of the service, without a slash at the end
 * @property {string} path the service's own, as sent
 * @property {string} target path and query of the whole request, as in the request line
 * @property {URLSearchParams} query
 * @property {Headers} headers
 * @property {string} body
 * @property {Record<string, string>} params what `{…}` in the route matched, decoded
 */

/** @typedef {(call: Call) => Reply | Promise<Reply>} Handler */

/**
 * @typedef {object} Service
 * @property {Record<string, Record<string, Handler>>} routes path pattern → method → handler
 * @property {Handler} unknown the service's answer to a path that it does not have
 * @property {Handler} wrongMethod
 * @property {(call: Call) => Reply | undefined} [guard] looks at each request before its route
 */

export {}
