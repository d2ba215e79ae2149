import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createChanges } from './changes.ts'

const start = new Date('2026-03-02T09:00:00.000Z')

test('who is behind is answered at once, who is not when something changes', async () => {
  const changes = createChanges(start)
  const version = await changes.next(0, 60_000)
  assert.equal(version, start.getTime())
  const two = [changes.next(version, 60_000), changes.next(version, 60_000)]
  changes.bump()
  assert.deepEqual(await Promise.all(two), [version + 1, version + 1])
})

test('when nothing changes the version comes back unchanged, and a stop leaves nobody waiting', async () => {
  const changes = createChanges(start)
  assert.equal(await changes.next(start.getTime(), 1), start.getTime())
  const waiting = changes.next(start.getTime(), 60_000)
  changes.close()
  assert.equal(await waiting, start.getTime())
  assert.equal(await changes.next(start.getTime(), 60_000), start.getTime())
})
