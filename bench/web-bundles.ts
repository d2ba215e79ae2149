import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { middle, type Figure } from './figure.ts'

const dist = join(import.meta.dirname, '..', 'web', 'dist')
const mostKilobytes = 200

/** What a browser loads of each app before anything is shown: the scripts that index.html names, and what those import by themselves. */
export function measureBundles(): Figure[] {
  return [{ app: 'dashboard', name: 'dashboard' }, { app: 'signing', name: 'signing page' }].map(({ app, name }) => {
    const folder = join(dist, app)
    if (!existsSync(join(folder, 'index.html'))) throw new Error(`${folder} is not built; \`node scripts/build-web.js\` builds it`)
    const kilobytes = firstScripts(folder).reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length / 1_000, 0)
    return { name: `first JavaScript of the ${name}, gzip`, unit: 'kB', ...middle([kilobytes]), target: { atMost: mostKilobytes } }
  })
}

function firstScripts(folder: string): string[] {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const named = [...html.matchAll(/(?:src|href)="\/([^"]+\.js)"/g)].map((match) => match[1]!)
  const found = new Set<string>()
  for (const file of named) addWithImports(folder, file, found)
  return [...found]
}

/** Static imports of a built chunk: `import … from"./x.js"`, `import"./x.js"`. What is imported later by a call is not first. */
function addWithImports(folder: string, file: string, found: Set<string>): void {
  if (found.has(file)) return
  found.add(file)
  const text = readFileSync(join(folder, file), 'utf8')
  for (const [, name] of text.matchAll(/(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)) addWithImports(folder, join('assets', name!), found)
}
