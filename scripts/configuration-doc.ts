import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { configurationDoc } from '../src/house/configuration-doc.ts'

// --write makes docs/configuration.md; --check fails when it is not what the schemas say
const path = join(import.meta.dirname, '..', 'docs', 'configuration.md')
const wanted = configurationDoc()

if (process.argv.includes('--write')) {
  writeFileSync(path, wanted)
} else if (readFileSync(path, 'utf8') !== wanted) {
  process.stderr.write('docs/configuration.md is not what the schemas say; run `node scripts/configuration-doc.ts --write`\n')
  process.exitCode = 1
}
