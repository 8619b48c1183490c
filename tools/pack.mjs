// Packs pkg/ as it would be published, and lays the tarball out where the tests find it by name.
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { once, root, run } from './run.mjs'

/** Where the tarball lies, relative to the root. */
export const TARBALL = 'build/keyprotect-auth.tgz'

/** Builds and packs. Gives the tarball's path. */
export async function pack() {
  await build()
  await once('pack', { inputs: ['pkg'], outputs: [TARBALL] }, async () => {
    const folder = join(root, 'build', 'packing')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    await run('npm', ['pack', './pkg', '--silent', '--pack-destination', folder])
    const [name] = readdirSync(folder)
    renameSync(join(folder, name), join(root, TARBALL))
  })
  return join(root, TARBALL)
}

/** Lays the packed files out below a folder, as an install would. */
export async function unpackInto(folder) {
  const tarball = await pack()
  const place = join(folder, 'node_modules', 'keyprotect-auth')
  await once(
    `unpack-${folder}`,
    { inputs: [TARBALL], outputs: [`${place}/package.json`] },
    async () => {
      rmSync(join(root, place), { recursive: true, force: true })
      mkdirSync(join(root, place), { recursive: true })
      await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(root, place)])
    },
  )
}
