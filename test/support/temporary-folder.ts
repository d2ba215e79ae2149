import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext } from 'node:test'

/** A folder of its own, gone after the test, or the test file. */
export function temporaryFolder(t?: Pick<TestContext, 'after'>): string {
  const folder = mkdtempSync(join(tmpdir(), 'castellan-test-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  t ? t.after(remove) : after(remove)
  return folder
}
