// `npm run audit`: licences, bans and sources of the crates, and known holes of the npm packages. Not
// part of `npm test`: cargo-deny is compiled once (some minutes), and advisories need the network.
import { root, run, say } from './run.mjs'
import { installPackages } from './setup.mjs'

await installPackages()
const installed = await run('cargo', ['deny', '--version']).then(
  () => true,
  () => false,
)
if (!installed) {
  say('Installing cargo-deny (some minutes, once) …')
  await run('cargo', ['install', 'cargo-deny', '--locked', '--version', '0.20.2'], { show: true })
}
for (const manifest of ['Cargo.toml', 'tools/glue/Cargo.toml']) {
  say(`cargo deny: ${manifest}`)
  const args = [
    'deny',
    '--manifest-path',
    manifest,
    '--config',
    `${root}/deny.toml`,
    '--locked',
    'check',
  ]
  await run('cargo', [...args, 'licenses', 'bans', 'sources'], { show: true })
  await run('cargo', [...args, 'advisories'], { show: true }).catch(() => {
    say('The advisory database could not be read, or it names a hole: see above.')
    process.exitCode = 1
  })
}
say('npm audit')
await run('npm', ['audit'], { show: true }).catch(() => {
  say('The registry could not be asked, or it names a hole: see above.')
  process.exitCode = 1
})
