import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path/posix'
import { describe, test } from 'node:test'
import { parseSync } from 'oxc-parser'
import { doors, mayImport, mayImportTypes, starters, wiring, withoutDoor } from './architecture.ts'

interface Import {
  /** Paths relative to src/. */
  readonly from: string
  readonly to: string
  readonly line: number
  readonly onlyTypes: boolean
}

interface Parsed {
  readonly imports: readonly Import[]
  /** Lines of `export * from`. */
  readonly barrels: readonly number[]
}

/** Every import, dynamic and type-only ones included, that stays inside src/. */
function parse(file: string, source: string): Parsed {
  const { module, errors } = parseSync(file, source)
  assert.deepEqual(errors, [], `${file} does not parse`)
  const lineAt = (offset: number) => source.slice(0, offset).split('\n').length
  const requests = [
    ...module.staticImports.map(({ moduleRequest, entries }) => ({ ...moduleRequest, onlyTypes: entries.length > 0 && entries.every(({ isType }) => isType) })),
    ...module.staticExports.flatMap(({ entries }) => entries.flatMap(({ moduleRequest, isType }) => (moduleRequest ? { ...moduleRequest, onlyTypes: isType } : []))),
    ...module.dynamicImports.map(({ moduleRequest: { start, end } }) => ({ value: source.slice(start + 1, end - 1), start, onlyTypes: false })),
  ]
  return {
    imports: requests
      .filter(({ value }) => value.startsWith('.'))
      .map(({ value, start, onlyTypes }) => ({ from: file, to: normalize(join(dirname(file), value)), line: lineAt(start), onlyTypes })),
    barrels: module.staticExports.flatMap(({ entries }) =>
      entries.filter(({ importName }) => importName.kind === 'AllButDefault').map(({ start }) => lineAt(start)),
    ),
  }
}

const folderOf = (path: string) => path.split('/')[0]!

/** What is wrong with one import, or nothing. */
function violation({ from, to, onlyTypes }: Import): string | undefined {
  const [mine, theirs] = [folderOf(from), folderOf(to)]
  const isTest = from.endsWith('.test.ts') || from.endsWith('.contract.ts')
  if (to === '../package.json') return undefined
  if (to.startsWith('..')) return isTest && to.startsWith('../test/') ? undefined : `leaves src/: ${to}`
  if (mine === theirs) return undefined
  if (starters[theirs]) return starters[theirs].includes(from) ? undefined : `only ${starters[theirs].join(', ')} may import ${theirs}`
  const allowed = [...(mayImport[mine] ?? []), ...(onlyTypes ? (mayImportTypes[mine] ?? []) : [])]
  if (!allowed.includes(theirs)) return `${mine} may not import ${theirs} (${to}); architecture.ts allows ${allowed.join(', ') || 'nothing'}`
  if (withoutDoor.includes(theirs) || wiring.includes(mine)) return undefined
  const isDoor = doors.some((door) => to === `${theirs}/${door}`)
  return isDoor ? undefined : `enters ${theirs} by ${to}; its doors are ${doors.join(' and ')}`
}

const files = globSync('**/*.ts', { cwd: join(import.meta.dirname, 'src') })
const parsed = new Map(files.map((file) => [file, parse(file, readFileSync(join(import.meta.dirname, 'src', file), 'utf8'))]))

describe('the architecture', () => {
  test('has every folder of src in its table, and no other', () => {
    const folders = readdirSync(join(import.meta.dirname, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    const names = folders.map(({ name }) => name)
    assert.deepEqual(names.filter((name) => !(name in mayImport)), [], 'folders that architecture.ts does not know')
    assert.deepEqual(Object.keys(mayImport).filter((name) => !names.includes(name)), [], 'folders that are only in architecture.ts')
  })

  test('has no cycle in its table', () => {
    const settled: string[] = []
    for (const folder of Object.keys(mayImport)) {
      assert.deepEqual(mayImport[folder]!.filter((other) => !settled.includes(other)), [], `${folder} imports what comes after it in the table`)
      settled.push(folder)
    }
  })

  test('is kept by every import', () => {
    const found = [...parsed.values()].flatMap(({ imports }) =>
      imports.flatMap((one) => {
        const wrong = violation(one)
        return wrong === undefined ? [] : [`src/${one.from}:${one.line}  ${wrong}`]
      }),
    )
    assert.equal(found.join('\n'), '')
  })

  test('knows what each door gives: no file exports everything of another', () => {
    const found = [...parsed].flatMap(([file, { barrels }]) => barrels.map((line) => `src/${file}:${line}  export * hides what the door gives; name the exports`))
    assert.equal(found.join('\n'), '')
  })
})

describe('the rules of the architecture test', () => {
  const wrong = (from: string, source: string) => parse(from, source).imports.map(violation).filter((found) => found !== undefined)

  test('see imports of values, of types, dynamic ones and re-exports', () => {
    const lines = [`import { a } from '../server/index.ts'`, `import type { A } from '../server/index.ts'`, `export { b } from '../server/index.ts'`, `const c = await import('../server/index.ts')`]
    for (const line of lines) assert.equal(wrong('kernel/clock.ts', line).length, 1, line)
  })

  test('do not take a comment or a text for an import', () => {
    assert.deepEqual(wrong('kernel/clock.ts', `// import '../server/index.ts'\nconst text = "import '../server/index.ts'"`), [])
  })

  test('refuse a way behind a door, and a starter that is none', () => {
    assert.equal(wrong('jobs/tick.ts', `import { a } from '../runs/run-store.ts'`).length, 1)
    assert.equal(wrong('jobs/tick.ts', `import { a } from '../runs/index.ts'`).length, 0)
    assert.equal(wrong('processes/worker.ts', `import { a } from '../runs/run-store.ts'`).length, 0)
    assert.equal(wrong('server/app.ts', `import { up } from '../processes/up.ts'`).length, 1)
    assert.equal(wrong('cli/up.ts', `import { up } from '../processes/up.ts'`).length, 0)
    assert.equal(wrong('cli/run.ts', `import { a } from '../server/index.ts'`).length, 1)
    assert.equal(wrong('cli/run.ts', `import { type A, b } from '../server/index.ts'`).length, 1)
    assert.equal(wrong('cli/run.ts', `import type { A } from '../server/index.ts'`).length, 0)
    assert.equal(wrong('labels/label.ts', `import { a } from '../../test/support/database.ts'`).length, 1)
    assert.equal(wrong('labels/label.test.ts', `import { a } from '../../test/support/database.ts'`).length, 0)
  })

  test('find export *', () => {
    assert.deepEqual(parse('labels/index.ts', `export { a } from './a.ts'\nexport * from './label.ts'`).barrels, [2])
  })
})
