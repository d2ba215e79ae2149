import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { houseFolder } from '../../test/support/house-folder.ts'
import { initHouse } from './index.ts'

const starter = join(import.meta.dirname, '../../house')

test('a new house is the starter house, byte for byte, under git', async (t) => {
  const folder = join(houseFolder(t), 'new', 'house')
  const { git } = await initHouse(folder)
  const files = readdirSync(starter, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(starter.length + 1))
  assert.ok(files.length > 30)
  for (const file of files) assert.deepEqual(readFileSync(join(folder, file)), readFileSync(join(starter, file)), file)
  if (!git) return t.diagnostic('there is no git on this machine')
  assert.equal(execFileSync('git', ['-C', folder, 'status', '--porcelain'], { encoding: 'utf8' }), '')
  assert.match(execFileSync('git', ['-C', folder, 'log', '--oneline'], { encoding: 'utf8' }), /Begin with the starter house/)
})

test('a folder with something in it is refused and left as it is', async (t) => {
  const folder = join(houseFolder(t), 'mine')
  mkdirSync(folder)
  writeFileSync(join(folder, 'novel.txt'), 'chapter one')
  await assert.rejects(initHouse(folder), { kind: 'conflict', code: 'house.not_empty' })
  assert.deepEqual(readdirSync(folder), ['novel.txt'])
  await assert.rejects(initHouse(join(folder, 'novel.txt')), { kind: 'invalid', code: 'house.not_a_folder' })
})

test('an empty folder is good enough', async (t) => {
  const folder = join(houseFolder(t), 'empty')
  mkdirSync(folder)
  await initHouse(folder)
  assert.ok(existsSync(join(folder, 'castellan.yaml')))
})
