// What must and what must not type-check, from the packed tarball.
import {
  AuthError,
  type AuthErrorCode,
  type AuthEvent,
  type Credential,
  type decodeToken,
  exchangeToken,
  findInstance,
  findOrg,
  findSpace,
  init,
  isAuthError,
  type LoginOptions,
  login,
  memoryStore,
  resume,
  type Session,
  type Source,
  type Store,
  type TokenSet,
  type VerifyOptions,
  verifyToken,
} from 'keyprotect-auth'
import { createEmulator, type Emulator } from 'keyprotect-auth/emulator'
import {
  type EnvironmentKind,
  type EnvironmentOptions,
  loginFromEnvironment,
  nodeHandler,
  serve,
} from 'keyprotect-auth/node'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
const same = <A, B>(_is: Same<A, B>) => {}

export async function use(): Promise<void> {
  await init()
  await init(new URL('https://example.test/core_bg.wasm'))
  const options: LoginOptions = {
    endpoints: { cf: 'https://api.example.test', iam: null },
    client: { clientId: 'cf', clientSecret: '' },
    target: { org: 'acme', space: { guid: 'g' } },
    timeoutMs: 5,
    retries: 0,
    signal: AbortSignal.timeout(5),
  }
  const session = await login({ username: 'u', password: () => 'p', origin: 'ldap' }, options)
  same<typeof session, Session>(true)
  await login({ apiKey: async () => 'k' }, { endpoints: 'private' })
  await login(async () => ({ passcode: 'p' }))
  same<Awaited<ReturnType<Session['iamToken']>>, string>(true)
  same<Awaited<ReturnType<Session['orgGuid']>>, string>(true)
  same<Awaited<ReturnType<Session['headers']>>, Record<string, string>>(true)
  const tokens = await session.oauthTokens()
  same<typeof tokens.uaa, string | undefined>(true)
  const found = await findOrg('acme', { token: 't', endpoints: { cf: 'https://api.example.test' } })
  await findSpace('dev', { org: found, token: 't' })
  const instance = await findInstance('kp', { token: 't', resourceGroup: 'g' })
  const other = await session.with({ instance })
  for await (const key of other.keys({ limit: 5 })) same<typeof key.id, string>(true)
  const { iam } = await exchangeToken({ refreshToken: 'r' })
  same<typeof iam, TokenSet | undefined>(true)
  same<NonNullable<typeof iam>['expiresAt'], number>(true)
  same<Awaited<ReturnType<typeof decodeToken>>['exp'], number | undefined>(true)
  const expected: VerifyOptions = { issuer: 'https://i.example.test', audience: ['a'] }
  const { exp } = await verifyToken('t', { ...expected, fetch: async () => new Response() })
  same<typeof exp, number | undefined>(true)
  try {
    await session.uaaToken({ minValidMs: 5 })
  } catch (error) {
    if (isAuthError(error)) same<typeof error.code, AuthErrorCode>(true)
    if (error instanceof AuthError) same<typeof error.requestId, string | undefined>(true)
  }
  const store: Store = memoryStore()
  const kept = await login(
    { apiKey: 'k' },
    {
      store,
      onEvent: (event) => {
        if (event.type === 'request') same<typeof event.endpoint, string>(true)
        if (event.type === 'source') same<typeof event.isStale, boolean>(true)
        if (event.type === 'clock') same<typeof event.offsetMs, number>(true)
      },
    },
  )
  const again = await resume(kept.key, { store })
  const answer: Response = await again.fetch('/api/v2/keys', { method: 'HEAD' })
  await answer.text()
  same<Awaited<ReturnType<Session['passcode']>>, string>(true)
  same<ReturnType<Session['tokens']>['iam'], { expiresAt: number; dueAt: number } | undefined>(true)
  await again.with({ account: 'a' })
  await again.refresh({ signal: AbortSignal.timeout(5) })
  const { authenticate, authenticationType } = again.authenticator()
  await authenticate({ headers: {} })
  same<ReturnType<typeof authenticationType>, string>(true)
  await again.logout()
  await using ending = again
  same<typeof ending, Session>(true)
  const emulator: Emulator = createEmulator({ cors: true })
  await login(emulator.credential, emulator.options)
  const server = await serve(emulator.fetch, { port: 0 })
  await server.close()
  nodeHandler(emulator.fetch)
  const wishes: EnvironmentOptions = { only: ['env', 'cf'], binding: 'kp', region: 'us-south' }
  const there = await loginFromEnvironment(wishes)
  same<typeof there, Session>(true)
  same<typeof there.source, Source>(true)
  await loginFromEnvironment()
}

// @ts-expect-error no kind of source
export const kind: EnvironmentKind = 'given'
// @ts-expect-error the options of login are no list of sources
export const sources: LoginOptions = { only: ['env'] }

// @ts-expect-error fields of two kinds
export const two: Credential = { apiKey: 'k', passcode: 'p' }
export const client: Credential = { clientId: 'c', clientSecret: () => 's' }
export const assertion: Credential = { assertion: 'a' }
export const container: Credential = { crToken: async () => 't', profile: { name: 'n' } }
export const assumed: Credential = { apiKey: 'k', assume: { name: 'n', account: 'a' } }
export const given: Credential = { iamToken: 'a', uaaToken: async () => 'b' }
// @ts-expect-error a UAA token assumes nothing
export const assumes: Credential = { uaaToken: 'a', assume: { id: 'i' } }
// @ts-expect-error a name is of an account
export const nameless: Credential = { apiKey: 'k', assume: { name: 'n' } }
// @ts-expect-error a profile is named in one way
export const twice: Credential = { crToken: 't', profile: { id: 'i', name: 'n' } }
// @ts-expect-error a container names its profile
export const profileless: Credential = { crToken: 't' }
// @ts-expect-error a client is no user
export const mixed: Credential = { clientId: 'c', clientSecret: 's', username: 'u' }
// @ts-expect-error no password
export const half: Credential = { username: 'u' }
// @ts-expect-error a user name is no function
export const named: Credential = { username: () => 'u', password: 'p' }
// @ts-expect-error a typo in an option
export const typo: LoginOptions = { regoin: 'us-south' }
// @ts-expect-error two kinds of target
export const aims: LoginOptions = { target: { instance: 'i', org: 'o' } }
// @ts-expect-error a token is verified against an issuer
export const anyones = () => verifyToken('t', { audience: 'a' })
// @ts-expect-error no option of this call
export const tries: VerifyOptions = { issuer: 'https://i.example.test', retries: 1 }
// @ts-expect-error the set of events is closed
export const event: AuthEvent = { type: 'nope' }
// @ts-expect-error a resumed session needs a store
export const nowhere = () => resume('key', {})
// @ts-expect-error the set of codes is closed
export const code: AuthErrorCode = 'nope'
// @ts-expect-error a space is looked up in an org
export const space = () => findSpace('dev', { token: 't' })
