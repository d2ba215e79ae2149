// Before `npm start`, `npm test` and `npm run check`: installs the dependencies when they are missing or not those of package-lock.json.
// Plain JavaScript: it runs on the Node of the machine (20 or later); what it installs brings the Node that Castellan runs on.
import { spawn } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const pinnedNode = `${root}node_modules/node/bin/node`
const say = (text) => process.stderr.write(`${text}\n`)

/** What is installed differs from what package-lock.json says, or nothing is installed. */
function isStale() {
  try {
    accessSync(pinnedNode, constants.X_OK)
    const wanted = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8')).packages
    const present = JSON.parse(readFileSync(`${root}node_modules/.package-lock.json`, 'utf8')).packages
    return Object.entries(wanted).some(([path, { version, integrity, optional, devOptional }]) => {
      if (path === '') return false
      const found = present[path]
      if (found === undefined) return !optional && !devOptional // made for another platform
      return found.version !== version || found.integrity !== integrity
    })
  } catch {
    return true
  }
}

/** The npm that called this script, or else the one on the path. Never one that runs on the Node that is about to be replaced. */
function npm() {
  const { npm_execpath: script, npm_node_execpath: node } = process.env
  return script?.endsWith('.js') && node && !node.startsWith(root) ? [node, script] : ['npm']
}

function install() {
  const [command, ...before] = npm()
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000']
  return new Promise((resolve) => {
    let complaint = ''
    const child = spawn(command, [...before, ...args], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
    const started = Date.now()
    const ticker = setInterval(() => say(`  still installing, ${Math.round((Date.now() - started) / 1000)} s`), 15_000)
    child.stderr.setEncoding('utf8').on('data', (text) => (complaint += text))
    child.on('error', (error) => finish(127, error.code === 'ENOENT' ? 'npm not found' : error.message))
    child.on('close', (code) => finish(code ?? 1, complaint))
    function finish(code, text) {
      clearInterval(ticker)
      resolve({ code, complaint: text })
    }
  })
}

/** What to do about a failed installation. */
function advice(complaint) {
  if (complaint === 'npm not found') return 'npm is not on the PATH. Install Node 20 or later together with npm: https://nodejs.org'
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|network/i.test(complaint)) {
    return 'The package registry does not answer (`npm config get registry` shows which). It is needed once; connect and run the same command again.'
  }
  if (/EUSAGE/.test(complaint)) return 'package.json and package-lock.json do not agree. Run `npm install`, and commit the new package-lock.json.'
  if (/EACCES|EPERM|EROFS/.test(complaint)) return `npm may not write to ${root}node_modules. Run it as the owner of that folder.`
  if (/ENOSPC/.test(complaint)) return 'The disk is full. About 650 MB are needed.'
  return 'Run `npm ci` to see the whole of it.'
}

async function main() {
  if (Number(process.versions.node.split('.')[0]) < 20) {
    say(`Castellan needs Node 20 or later to start; this is ${process.version}. It brings the Node that it runs on by itself.`)
    process.exit(1)
  }
  if (!isStale()) return
  say('Installing what Castellan needs into node_modules (about 600 MB, once) …')
  const started = Date.now()
  const { code, complaint } = await install()
  if (code !== 0) {
    say(complaint.split('\n').filter((line) => /^npm error (?!\s*at )/.test(line)).slice(0, 5).join('\n'))
    say(`The installation failed. ${advice(complaint)}`)
    process.exit(1)
  }
  if (isStale()) {
    say('npm ended without an error, but node_modules/node/bin/node is missing. If `npm config get ignore-scripts` says true, run: npm ci --ignore-scripts=false')
    process.exit(1)
  }
  say(`Installed in ${Math.round((Date.now() - started) / 1000)} s.`)
}

await main()
