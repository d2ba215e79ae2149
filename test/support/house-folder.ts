import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { loadHouse, type ToolCatalog } from '../../src/house/index.ts'

/** Tools as a house knows them. */
export const someTools: ToolCatalog = new Map([
  ['mail.list', { effect: 'read' }],
  ['mail.read', { effect: 'read' }],
  ['text.template', { effect: 'read' }],
  ['model.ask', { effect: 'read', fallback: 'extractive' }],
  ['files.write', { effect: 'write' }],
  ['outbox.propose', { effect: 'propose' }],
] as const)

/** A job of one step, with what is given on top. */
export function jobText(more = '', steps = '  - { id: mail, uses: mail.list }'): string {
  return `summary: A job\n${more}${more && !more.endsWith('\n') ? '\n' : ''}steps:\n${steps}\n`
}

/** A folder with these files, and an empty castellan.yaml unless it is given; gone after the test. */
export function houseFolder(t: TestContext, files: Record<string, string | Uint8Array> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-house-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const name of ['vault', 'briefs', 'outbox']) mkdirSync(join(folder, name))
  for (const [file, content] of Object.entries({ 'castellan.yaml': '', ...files })) {
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    writeFileSync(join(folder, file), content)
  }
  return folder
}

/** The problems of a folder with these files, each as `file:line:column what → instead`. */
export async function problemsOf(t: TestContext, files: Record<string, string | Uint8Array>): Promise<string[]> {
  return problemsIn(houseFolder(t, files))
}

export async function problemsIn(folder: string): Promise<string[]> {
  const { problems, house } = await loadHouse(folder, { tools: someTools, env: {}, now: new Date('2026-11-20T08:00:00Z') })
  if (house && problems.some((problem) => problem.severity === 'error')) throw new Error('a house with an error was handed out')
  return problems.map(({ file, line, column, what, instead }) => `${file}:${line}:${column} ${what} → ${instead}`)
}
