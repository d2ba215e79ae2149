// Before `npm start`, `npm test` and `npm run bench`: builds the two web apps when their sources have changed since the last build.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const mark = `${root}web/dist/.sources`
const say = (text) => process.stderr.write(`${text}\n`)

/** Words that the pages share with the commands. */
const shared = ['today-line', 'visible', 'wording'].map((name) => `src/cli/terminal/${name}.ts`)
/** What the signing page reads of the bytes that are signed, by the releaser's own code. */
const acts = ['src/outbox/canonical.ts', ...readdirSync(`${root}src/outbox/acts`).map((name) => `src/outbox/acts/${name}`)]

/** Of everything that a build reads. */
function digestOfSources() {
  const inside = (folder) => readdirSync(`${root}${folder}`, { recursive: true }).map((name) => `${folder}/${name}`)
  const own = readdirSync(`${root}web`).map((name) => `web/${name}`)
  const files = [...own, ...inside('web/dashboard'), ...inside('web/signing'), ...shared, ...acts, 'package-lock.json'].filter((file) => statSync(`${root}${file}`).isFile())
  const hash = createHash('sha256')
  for (const file of files.sort()) hash.update(file).update('\0').update(readFileSync(`${root}${file}`))
  return hash.digest('hex')
}

function build(mode) {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(`${root}node_modules/node/bin/node`, [`${root}node_modules/vite/bin/vite.js`, 'build', '--mode', mode, '--logLevel', 'warn'], { cwd: `${root}web`, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', (text) => (output += text))
    child.stderr.on('data', (text) => (output += text))
    child.on('close', (code) => resolve({ mode, code, output }))
  })
}

function isBuilt(digest) {
  try {
    return readFileSync(mark, 'utf8') === digest
  } catch {
    return false
  }
}

const digest = digestOfSources()
if (!isBuilt(digest)) {
  say('Building the web pages …')
  const started = Date.now()
  const failed = (await Promise.all(['dashboard', 'signing'].map(build))).filter(({ code }) => code !== 0)
  for (const { mode, output } of failed) say(`The ${mode} could not be built:\n${output}`)
  if (failed.length > 0) process.exit(1)
  mkdirSync(`${root}web/dist`, { recursive: true })
  writeFileSync(mark, digest)
  say(`Built in ${((Date.now() - started) / 1000).toFixed(1)} s.`)
}
