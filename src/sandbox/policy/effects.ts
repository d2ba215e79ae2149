import { judgeGit } from './git-commands.ts'
import { exposingPrograms, overwritingPrograms, removingPrograms, rightsPrograms } from './programs.ts'

export interface Effect {
  readonly outcome: 'dry_run' | 'forbidden'
  readonly rule: string
  readonly why: string
}

/** One part of what chmod takes, in letters or digits, that sets the user or group of whoever runs it. */
const elevating = /^(?:[ugoa]*(?:[-+=][rwxXstugo]*)*[+=][rwxXt]*s[rwxXstugo+=-]*|[-+=]?0*[2-7]\d{3})$/

const effect = (outcome: Effect['outcome'], rule: string, why: string): Effect[] => [{ outcome, rule, why }]
const removes = (why: string) => effect('dry_run', 'removes', why)
const clients: ReadonlySet<string> = new Set(['psql', 'mysql', 'mariadb', 'sqlcmd', 'cqlsh', 'redis-cli', 'duckdb', 'mysqladmin'])
const losing = /\b(?:drop|truncate|delete|update|alter|replace|merge|vacuum|reindex|flushall|flushdb|rename|grant|revoke)\b/i

/** Programs that do what their arguments say: what is lost by some of them, and which of them never. By the plain names of a program. */
export function effectsOf(names: readonly string[], args: readonly string[]): Effect[] {
  return names.flatMap((name) => effectsOfName(name, args))
}

function effectsOfName(name: string, args: readonly string[]): Effect[] {
  const has = (...options: string[]) => args.some((one) => options.includes(one.split('=', 1)[0]!))
  const begins = (pattern: RegExp) => args.some((one) => pattern.test(one))
  if (removingPrograms.has(name)) return removes('removes what it is given')
  if (overwritingPrograms.has(name)) return effect('dry_run', 'overwrites', 'can write over what is there')
  if (name === 'chmod' && args.some((one) => one.split(',').some((mode) => elevating.test(mode)))) return effect('forbidden', 'privilege', 'makes a program that runs with the rights of its owner')
  if (rightsPrograms.has(name)) return effect('dry_run', 'rights', 'changes who may read, write or run something')
  if (exposingPrograms.has(name)) return effect('dry_run', 'exposes', 'opens something of this machine to others')
  if (clients.has(name)) return args.some((one) => losing.test(one)) ? removes('can lose rows or tables') : []
  switch (name) {
    case 'git': {
      const verdict = judgeGit(args)
      return verdict.outcome === 'allowed' ? [] : [verdict]
    }
    case 'find':
      return has('-delete') ? removes('deletes what it finds') : begins(/^-f(?:print|print0|printf|ls)$/) ? effect('dry_run', 'overwrites', 'writes a file') : []
    case 'sed':
    case 'gsed':
      return begins(/^(?:-[A-Za-z]*i|--i)/) ? effect('dry_run', 'overwrites', 'writes over its files') : []
    case 'sqlite':
      // behind -safe it is an option; further behind it could be the value of one
      return /^--?readonly$/.test(args[1] ?? '') ? [] : removes('can lose rows or tables')
    case 'dd':
      return begins(/^of=/) ? effect('dry_run', 'overwrites', 'writes over what of= names') : []
    case 'sort':
      return begins(/^(?:-[A-Za-z]*o|--o)/) ? effect('dry_run', 'overwrites', 'writes a file') : []
    case 'tar':
    case 'gtar':
    case 'bsdtar':
      return isListing(args) ? [] : effect('dry_run', 'overwrites', 'can write over what is there')
    case 'dpkg':
      return begins(/^(?:-[lLsSpI]|--(?:list|listfiles|status|search|print-avail|get-selections|info|contents|compare-versions|print-architecture))$/) ? [] : effect('forbidden', 'install', 'installs programs; do it yourself at a terminal')
    case 'npm':
    case 'pnpm':
    case 'yarn':
    case 'npx':
    case 'pnpx':
    case 'corepack':
      return effect('forbidden', 'install', 'fetches programs and runs what they bring')
    case 'cargo':
    case 'go':
    case 'dotnet':
      return has('install', 'get', 'run') ? effect('forbidden', 'install', 'installs programs, or runs any') : []
    case 'make':
      return args.some((one) => /^(?:un)?install/.test(one)) ? effect('forbidden', 'install', 'installs programs; do it yourself at a terminal') : effect('dry_run', 'overwrites', 'does what a file says')
    default:
      return []
  }
}

/** Does tar only list? By its first argument, since any further one could be a name or the value of an option, and by no option that is not known: some write a file. */
function isListing([mode = '', ...rest]: readonly string[]): boolean {
  return /^(?:--list|-?[vzjJ]*t[vzjJ]*f?)$/.test(mode) && rest.every((one) => !one.startsWith('-') || /^(?:-[vzjJf]+|--(?:file|exclude)=.*|--(?:file|verbose|gzip|xz|bzip2|zstd|wildcards|full-time))$/.test(one))
}
