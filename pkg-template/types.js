// @ts-check
/**
 * The shapes of the public functions. Instants are milliseconds since the epoch, durations
 * milliseconds.
 *
 * @import { AuthError } from './errors.js'
 */

/**
 * The closed set of codes; a new one is a major version.
 * @typedef {'invalid_input' | 'load_failed' | 'unavailable' | 'protocol' | 'invalid_credentials'
 *   | 'expired' | 'mfa_required' | 'forbidden' | 'not_found' | 'ambiguous' | 'rate_limited'
 *   | 'timeout' | 'network' | 'server_error' | 'aborted'} AuthErrorCode
 */

/**
 * One of several that fit, or that are near.
 * @typedef {{ guid: string, name: string, region?: string, resourceGroup?: string }} Candidate
 */

/**
 * A secret, or what gives it at each exchange.
 * @typedef {string | (() => string | Promise<string>)} Secret
 */

/**
 * A trusted profile, named in exactly one way.
 * @typedef {{ id: string, crn?: never, name?: never } | { crn: string, id?: never, name?: never }
 *   | { name: string, id?: never, crn?: never }} Profile
 */
/**
 * A trusted profile that an identity assumes; a name is of an account.
 * @typedef {{ id: string, crn?: never, name?: never, account?: never }
 *   | { crn: string, id?: never, name?: never, account?: never }
 *   | { name: string, account: string, id?: never, crn?: never }} AssumedProfile
 */

/**
 * The fields of all rows but some, which a row must not have.
 * @template {string} Own
 * @typedef {{ [name in Exclude<'apiKey' | 'username' | 'password' | 'origin' | 'passcode'
 *   | 'refreshToken' | 'clientId' | 'clientSecret' | 'assertion' | 'crToken' | 'profile' | 'iamToken'
 *   | 'uaaToken', Own>]?: never }} Without
 */
/**
 * An API key: IAM's API-key grant; at UAA the password grant of the user `apikey`.
 * @typedef {{ apiKey: Secret, assume?: AssumedProfile } & Without<'apiKey'>} ApiKeyCredential
 */
/**
 * Resource owner password credentials; `origin` names an identity provider of a UAA.
 * @typedef {{ username: string, password: Secret, origin?: string, assume?: AssumedProfile }
 *   & Without<'username' | 'password' | 'origin'>} PasswordCredential
 */
/**
 * A one-time passcode from the sign-in page.
 * @typedef {{ passcode: Secret, assume?: AssumedProfile } & Without<'passcode'>} PasscodeCredential
 */
/**
 * A refresh token of the same client.
 * @typedef {{ refreshToken: Secret, assume?: AssumedProfile }
 *   & Without<'refreshToken'>} RefreshTokenCredential
 */
/**
 * Client credentials at a UAA: the client signs in as itself.
 * @typedef {{ clientId: string, clientSecret: Secret, assume?: never }
 *   & Without<'clientId' | 'clientSecret'>} ClientCredential
 */
/**
 * A JWT of an identity provider that the UAA trusts.
 * @typedef {{ assertion: Secret, assume?: never } & Without<'assertion'>} AssertionCredential
 */
/**
 * A compute resource's token, for a trusted profile of IAM that it is linked to.
 * @typedef {{ crToken: Secret, profile: Profile, assume?: AssumedProfile }
 *   & Without<'crToken' | 'profile'>} ComputeResourceCredential
 */
/**
 * Tokens that are there already, with or without `Bearer `: used as they are, never renewed nor revoked.
 * @typedef {({ iamToken: Secret, uaaToken?: Secret, assume?: AssumedProfile }
 *   | { uaaToken: Secret, iamToken?: never, assume?: never })
 *   & Without<'iamToken' | 'uaaToken'>} GivenTokens
 */
/**
 * What a person or a program signs in with: exactly one row, or a function that gives one. With
 * `assume`, at IAM, that identity then becomes a trusted profile.
 * @typedef {ApiKeyCredential | PasswordCredential | PasscodeCredential | RefreshTokenCredential
 *   | ClientCredential | AssertionCredential | ComputeResourceCredential | GivenTokens} CredentialFields
 * @typedef {CredentialFields | (() => CredentialFields | Promise<CredentialFields>)} Credential
 */

/**
 * Where the services are: some of them, or all under one `base`. With `cf` or `uaa` but no `iam` it is
 * a plain Cloud Foundry; with an `iam` outside IBM's hosts, what is not named is absent.
 * @typedef {{
 *   iam?: string | URL | null, cf?: string | URL, uaa?: string | URL, keyProtect?: string | URL,
 *   resourceController?: string | URL, accounts?: string | URL, base?: string | URL,
 * }} Endpoints
 */

/**
 * A client of one's own; without a secret a public one, with `""` one whose secret is empty.
 * @typedef {{ clientId: string, clientSecret?: string }} Client
 */

/**
 * Time as the session sees it: `now` in milliseconds since the epoch, `monotonic` in milliseconds from
 * anywhere, `sleep` for waits between tries.
 * @typedef {{
 *   now: () => number, monotonic: () => number,
 *   sleep: (ms: number, options?: { signal?: AbortSignal }) => Promise<unknown>,
 *   random?: () => number,
 * }} Clock
 */

/**
 * A `fetch`, as it is called here: an absolute URL string and plain objects. What it resolves to need
 * only be Response-shaped.
 * @typedef {(url: string, init: RequestInit) => Promise<any>} FetchLike
 */

/**
 * What every call takes.
 * @typedef {object} CallOptions
 * @property {Endpoints | 'private'} [endpoints] IBM Cloud's public ones without it
 * @property {number} [timeoutMs] each request to the end of its body; 30 000
 * @property {number} [retries] for what is safe to send again; 3
 * @property {FetchLike} [fetch] the global one without it
 * @property {Clock} [clock] wall and monotonic without it
 * @property {AbortSignal} [signal] ends this call alone
 * @property {(event: AuthEvent) => unknown} [onEvent] what happens, without secrets
 */

/**
 * @typedef {object} SignInOptions
 * @property {string} [region] the instance's, else `us-south`; picks Key Protect's host
 * @property {boolean} [uaa] ask IAM for a UAA token too; true where `iam` and `cf` are given
 * @property {string} [account] the IBM Cloud account to choose
 * @property {Client} [client] per grant without it: `bx:bx` at IAM where it wants one, `cf:` at UAA
 */

/** @typedef {CallOptions & SignInOptions} ExchangeOptions */

/**
 * A string is a name, looked up; `{ guid }` is taken as it stands. What lookups yield fits too.
 * @typedef {string | { guid: string, name?: string }} Named
 */

/**
 * A string is a name or a CRN (`crn:v1:…`); `{ guid }` and `{ crn }` are taken as they stand.
 * @typedef {string | { guid: string, name?: string, crn?: string, region?: string, host?: string }
 *   | { crn: string }} InstanceNamed
 */

/**
 * Today's Key Protect wants an instance, that of 2017 an org and a space.
 * @typedef {{ instance: InstanceNamed, org?: never, space?: never }
 *   | { org: Named, space?: Named, instance?: never }} TargetOption
 */

/**
 * @typedef {ExchangeOptions & { target?: TargetOption, store?: Store }} LoginOptions `target` is looked
 *   up at login; `store` is where tokens are kept and shared
 */
/**
 * The target is that of the session which was named; with `credential` it can sign in again.
 * @typedef {ExchangeOptions & { store: Store, credential?: Credential }} ResumeOptions
 */

/**
 * Where tokens are kept. `ttlMs` is how long a record is kept still. `lock` gives `undefined` while
 * another holds it; its `set` writes nothing and says `false` once the lease is lost.
 * @typedef {{
 *   get: (key: string) => Promise<{ text: string, ttlMs: number } | undefined>,
 *   set: (key: string, text: string, options: { ttlMs: number }) => Promise<unknown>,
 *   delete: (key: string) => Promise<unknown>,
 *   lock?: (key: string, options: { ttlMs: number, signal?: AbortSignal }) => Promise<StoreLock | undefined>,
 * }} Store
 */
/**
 * @typedef {{
 *   set: (text: string, options: { ttlMs: number }) => Promise<boolean>, release: () => Promise<unknown>,
 * }} StoreLock
 */

/**
 * What happens, told to `onEvent` and on the diagnostics channel `keyprotect-auth`. Durations are
 * milliseconds; `endpoint` has no query; `code` is there where it failed. Never a secret. One function
 * that throws, or whose promise rejects, breaks nothing.
 *
 * - `request`: one attempt at one request; `status` is missing where no answer came, `code` says why none
 *   came that can be read; `requestId` is the one that was sent; `resend` is how often the same request
 *   was sent before.
 * - `exchange`: a sign-in or a renewal, from its first request to its last.
 * - `lookup`: a name looked up.
 * - `store`: the store failed or held nonsense; the call went on without it.
 * - `clock`: the wall clock is off by so much from a service's (more than 5 s); renewal does not mind.
 * - `logout`: signed out; `isRevoked` where a service took it.
 * - `source`: which credential of the environment was taken, before it is sent; `isStale` where the service
 *   has just put another refresh token in the place of the one that a CLI's file holds.
 * @typedef {{ type: 'request', service: string, method: string, endpoint: string, resend?: number,
 *     status?: number, code?: AuthErrorCode, requestId?: string, durationMs: number }
 *   | { type: 'exchange', isBackground: boolean, by?: 'credential' | 'refreshToken', durationMs: number, code?: AuthErrorCode }
 *   | { type: 'lookup', what: 'org' | 'space' | 'instance' | 'keys', durationMs: number, code?: AuthErrorCode }
 *   | { type: 'store', problem: string }
 *   | { type: 'clock', offsetMs: number }
 *   | { type: 'logout', isRevoked: boolean }
 *   | { type: 'source', kind: SourceKind, where: string, isStale: boolean }} AuthEvent
 */

/**
 * What `loginFromEnvironment` looks through, in this order.
 * @typedef {'env' | 'file' | 'vcap' | 'ibmcloud' | 'cf' | 'container' | 'vpc'} EnvironmentKind
 */
/**
 * Where a credential can come from: the environment, the call itself, or (a session resumed) a store.
 * @typedef {EnvironmentKind | 'given' | 'store'} SourceKind
 */
/**
 * Where a session's credential came from: `where` is the name of a variable, the path of a file, or a
 * binding; `tried` are the kinds passed over, with what each lacked. Never a secret.
 * @typedef {{ kind: SourceKind, where: string, tried: { kind: SourceKind, lacks: string }[] }} Source
 */
/**
 * @typedef {LoginOptions & { only?: EnvironmentKind[], binding?: string }} EnvironmentOptions `only`: the
 *   kinds that count; `binding`: the name of the one in `VCAP_SERVICES` that is meant
 */

/** @typedef {CallOptions & { token: string }} FindOptions */

/** What a lookup yields. @typedef {{ guid: string, name: string }} Found */

/**
 * A Key Protect instance; `host` is one of its own (Dedicated), `resourceGroup` an id.
 * @typedef {Found & { crn?: string, region?: string, resourceGroup?: string, host?: string }} FoundInstance
 */

/**
 * One key, as Key Protect lists it.
 * @typedef {{ id: string, type?: string, name?: string, state?: number, extractable?: boolean,
 *   crn?: string, creationDate?: string, [field: string]: unknown }} Key
 */

/**
 * What a session is aimed at, as far as it is known.
 * @typedef {{
 *   api?: string, region?: string, user?: string, account?: string,
 *   org?: { guid: string, name?: string }, space?: { guid: string, name?: string },
 *   instance?: { guid: string, name?: string, crn?: string, region?: string },
 * }} Target
 */

/** @typedef {'iam' | 'uaa'} TokenKind */

/**
 * @typedef {object} VerifyOptions
 * @property {string} issuer as the token's `iss` has it: `https://iam.cloud.ibm.com/identity`; a UAA's
 *   ends in `/oauth/token`
 * @property {string | string[]} [audience] of which one must be in `aud`; not checked without it
 * @property {number} [timeoutMs] each request to the end of its body; 30 000
 * @property {FetchLike} [fetch] the global one without it; the issuer's keys are kept for each
 * @property {Clock} [clock] wall and monotonic without it
 * @property {AbortSignal} [signal] ends this call alone
 */

/**
 * The claims of a token: RFC 7519 section 4.1, and what the issuer adds. Verified where `verifyToken`
 * gave them, and nowhere else.
 * @typedef {{ iss?: string, sub?: string, aud?: string | string[], exp?: number, iat?: number,
 *   jti?: string, scope?: string | string[], [claim: string]: unknown }} Claims
 */

export {}
