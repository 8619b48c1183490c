// The errand of the 2017 guide "Generating authentication credentials", as a Node script does it now.
import { login } from 'keyprotect-auth'

/**
 * Signs in, finds the GUIDs, gets both tokens, lists the keys; prints each beside the command that it
 * replaces. No token is printed whole.
 * @param {{ url: string, demo: import('./server.js').Demo }} server
 * @param {(text: string) => void} [print]
 * @throws {import('keyprotect-auth').AuthError}
 */
export async function runErrand(
  { url, demo },
  print = (text) => process.stdout.write(`${text}\n`),
) {
  const { apiKey, org, space, instance } = demo
  const show = (command, call, ...results) => {
    print(`${command.padEnd(32)}→ ${call}`)
    for (const result of results) print(`  ${result}`)
    print('')
  }

  const session = await login({ apiKey }, { endpoints: { base: url } })
  const { user, account, region } = session.target()
  show(
    'bx login --apikey KEY',
    'session = await login({ apiKey }, options)',
    `${user}, account ${account}, ${region}`,
  )

  const orgGuid = await session.orgGuid(org)
  show(`bx iam org ${org} --guid`, `await session.orgGuid('${org}')`, orgGuid)

  const spaceGuid = await session.spaceGuid(space, { org })
  show(
    `bx iam space ${space} --guid`,
    `await session.spaceGuid('${space}', { org: '${org}' })`,
    spaceGuid,
  )

  const { iam, uaa } = await session.oauthTokens()
  show(
    'bx iam oauth-tokens',
    'await session.oauthTokens()',
    `IAM token:  ${shortened(iam)}`,
    `UAA token:  ${shortened(uaa)}`,
  )

  const aimed = await session.with({ instance })
  show(
    'new: the instance GUID',
    `aimed = await session.with({ instance: '${instance}' })`,
    aimed.target().instance?.guid ?? 'none',
  )

  const keys = []
  for await (const key of aimed.keys()) keys.push(`${key.id}  ${key.name}`)
  show('new: the keys of the instance', 'for await (const key of aimed.keys()) …', ...keys)
}

/** @param {string} [header] */
function shortened(header) {
  return header === undefined ? 'none' : `${header.slice(0, 15)}…(${header.length} characters)`
}
