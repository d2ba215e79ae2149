// `npm test [-- FILES]`: every test of the source tree, three files at a time, on Node's own runner. A line a file; failures and skips in full at the end.
// With CI=true a skipped test is a failure: there, everything that a test needs is installed.
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { run } from 'node:test'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect, styleText } from 'node:util'

if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error('this needs the Node of node_modules; `npm install` brings it (npm\'s ignore-scripts must be off)')
  process.exit(1)
}

const root = fileURLToPath(new URL('..', import.meta.url))
const files = process.argv.slice(2)
// two hundred processes load the same modules
process.env.NODE_COMPILE_CACHE ??= resolve(root, 'node_modules/.cache/compile')
/** The journeys first: they take longest, and mostly wait. */
const everything = ['test/**/*.test.ts', 'architecture.test.ts', 'src/**/*.test.ts', 'bin/**/*.test.ts', 'bench/*.test.ts', 'web/*/src/**/*.test.ts']
/** Lines of a stack that belong to the runner and not to the test. */
const runnerFrame = /\n +at [^\n]*node:internal[^\n]*/g
const mayNotSkip = process.env.CI === 'true'
/** Milliseconds for one file; the runner's own limit ends tests, and not a file that something in it keeps open. */
const fileLimit = 8 * 60_000
const paint = (style, text) => styleText(style, text, { stream: process.stdout })

const byFile = new Map()
const reported = new Set()
const failed = []
const skipped = []
let passed = 0
const started = performance.now()

function fileOf(event) {
  const path = resolve(root, event.file ?? '(runner)') // a file that died is named relative to the root
  if (!byFile.has(path)) byFile.set(path, { names: [], passed: 0, failed: 0, skipped: 0, output: '' })
  return byFile.get(path)
}

function titleOf(event) {
  return [...fileOf(event).names.slice(0, event.nesting), event.name].join(' › ')
}

function finished(event, isPass) {
  const file = fileOf(event)
  if (event.details.type === 'suite' && isPass && event.skip === undefined) return
  const found = { path: relative(root, resolve(root, event.file ?? '')), title: titleOf(event), event }
  if (event.skip !== undefined || event.todo !== undefined) {
    file.skipped += 1
    skipped.push({ ...found, reason: [event.skip, event.todo].find((reason) => typeof reason === 'string' && reason !== '') ?? 'no reason given' })
  } else if (isPass) {
    file.passed += 1
    passed += 1
  } else {
    // a suite or a parent that only repeats the failure of a child says nothing new
    if (event.details.error?.failureType === 'subtestsFailed') return
    file.failed += 1
    failed.push(found)
  }
}

function reportFile(path, { passed, failed, skipped, output }, durationMs) {
  reported.add(path)
  const mark = failed > 0 ? paint('red', '✖') : skipped > 0 ? paint('yellow', '–') : paint('green', '✔')
  const counts = [`${passed} passed`, failed > 0 && `${failed} failed`, skipped > 0 && `${skipped} skipped`].filter(Boolean).join(', ')
  const time = durationMs === undefined ? 'died' : `${(durationMs / 1000).toFixed(1)} s`
  console.log(`${mark} ${relative(root, path).padEnd(56)} ${time.padStart(7)}  ${counts}`)
  if (failed > 0 && output !== '') console.log(paint('dim', output.trimEnd()))
}

const stream = run({
  cwd: root,
  files: files.length > 0 ? files : everything.flatMap((pattern) => globSync(pattern, { cwd: root }).sort()),
  concurrency: 3,
  timeout: 120_000,
})

const limits = new Map()
stream.on('test:dequeue', ({ name, file }) => {
  // a file is a test of its own, by the name by which it was given
  if (resolve(root, name) === file) limits.set(file, setTimeout(endFile, fileLimit, file))
})
stream.on('test:start', (event) => {
  fileOf(event).names[event.nesting] = event.name
})
stream.on('test:pass', (event) => finished(event, true))
stream.on('test:fail', (event) => finished(event, false))
stream.on('test:stdout', (event) => (fileOf(event).output += event.message))
stream.on('test:stderr', (event) => (fileOf(event).output += event.message))
stream.on('test:summary', (event) => {
  clearTimeout(limits.get(event.file))
  if (event.file !== undefined) reportFile(resolve(root, event.file), fileOf(event), event.duration_ms)
})
stream.on('end', () => {
  for (const limit of limits.values()) clearTimeout(limit)
  // a file that died has no summary; a suite that other files run has none either
  for (const [path, file] of byFile) if (!reported.has(path) && file.failed > 0) reportFile(path, file, undefined)
  for (const { path, title, reason } of skipped) console.log(`${paint('yellow', '– skipped')} ${path}: ${title}: ${reason}`)
  for (const { path, title, event } of failed) {
    const error = event.details.error
    console.log(`\n${paint('red', '✖')} ${path}:${event.line ?? '?'}\n  ${title}\n${indent(describe(error?.cause ?? error))}`)
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`\n${passed} passed, ${failed.length} failed, ${skipped.length} skipped in ${seconds} s`)
  const found = passed + failed.length + skipped.length
  if (found === 0) console.log('No test was found.')
  if (mayNotSkip && skipped.length > 0) console.log('With CI=true nothing may be skipped.')
  process.exitCode = failed.length > 0 || found === 0 || (mayNotSkip && skipped.length > 0) ? 1 : 0
})
stream.resume()

/** The file then counts as failed. */
function endFile(file) {
  fileOf({ file }).output += `ended after ${fileLimit / 60_000} min: something in it was still open\n`
  spawnSync('pkill', ['-KILL', '-P', String(process.pid), '-f', '--', relative(root, file)])
}

/** An assertion's message already shows what differs; the fields that repeat it are left out. */
function describe(error) {
  const text = error?.code === 'ERR_ASSERTION' ? error.stack : inspect(error, { depth: 6 })
  return text.replaceAll(runnerFrame, '')
}

function indent(text) {
  return text.replaceAll(/^/gm, '    ')
}
