import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '../../kernel/fault.ts'
import { createBreakers, type Circuit } from './breaker.ts'

const circuit: Circuit = { upstream: 'cloud', model: 'large', endpoint: 'chat' }
const broken = new Fault('unavailable', 'upstream.failed', 'it fell over')

function breakersAt(start = 0) {
  const clock = { now: start }
  return { clock, breakers: createBreakers(() => ({ failures: 3, restMs: 1_000 }), () => clock.now) }
}

test('three failures in a row are enough, two and a success are not', () => {
  const { breakers } = breakersAt()
  breakers.failed(circuit, broken)
  breakers.failed(circuit, broken)
  breakers.answered(circuit)
  breakers.failed(circuit, broken)
  breakers.failed(circuit, broken)
  assert.equal(breakers.refuse(circuit), undefined)
  breakers.failed(circuit, broken)
  assert.equal(breakers.refuse(circuit)?.code, 'upstream.resting')
  assert.deepEqual(breakers.resting(), [{ ...circuit, forMs: 1_000 }])
})

test('another model of the same upstream, and another endpoint of the same model, is not held back', () => {
  const { breakers } = breakersAt()
  for (let i = 0; i < 3; i += 1) breakers.failed(circuit, broken)
  assert.equal(breakers.refuse({ ...circuit, model: 'small' }), undefined)
  assert.equal(breakers.refuse({ ...circuit, endpoint: 'embeddings' }), undefined)
})

test('after the rest one call finds out, and the others wait for what it finds', () => {
  const { clock, breakers } = breakersAt()
  for (let i = 0; i < 3; i += 1) breakers.failed(circuit, broken)
  clock.now = 1_000
  assert.equal(breakers.refuse(circuit), undefined)
  assert.equal(breakers.refuse(circuit)?.code, 'upstream.resting')
  breakers.begun(circuit)
  assert.equal(breakers.refuse(circuit), undefined)
})

test('each rest that follows at once is twice as long, up to two minutes, and an answer ends that', () => {
  const { clock, breakers } = breakersAt()
  const rest = () => breakers.resting()[0]?.forMs
  for (let i = 0; i < 3; i += 1) breakers.failed(circuit, broken)
  const rests = [rest()]
  for (let i = 0; i < 9; i += 1) {
    clock.now += rest()!
    assert.equal(breakers.refuse(circuit), undefined)
    breakers.failed(circuit, broken)
    rests.push(rest())
  }
  assert.deepEqual(rests, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 120_000, 120_000, 120_000])
  breakers.answered(circuit)
  for (let i = 0; i < 3; i += 1) breakers.failed(circuit, broken)
  assert.equal(rest(), 1_000)
})

test('a trial that begins well and breaks off is followed by a rest', () => {
  const { clock, breakers } = breakersAt()
  for (let i = 0; i < 3; i += 1) breakers.failed(circuit, broken)
  clock.now = 1_000
  breakers.refuse(circuit)
  breakers.begun(circuit)
  breakers.failed(circuit, new Fault('unavailable', 'upstream.died', 'it died'))
  assert.equal(breakers.refuse(circuit)?.code, 'upstream.resting')
})

test('a client who leaves the trial leaves it to the next', () => {
  const { clock, breakers } = breakersAt()
  for (let i = 0; i < 3; i += 1) breakers.failed(circuit, broken)
  clock.now = 1_000
  breakers.refuse(circuit)
  breakers.left(circuit)
  assert.equal(breakers.refuse(circuit), undefined)
})

test('a model that is not there, a wrong request, a refused key and a full budget make nobody ill', () => {
  const { breakers } = breakersAt()
  for (let i = 0; i < 20; i += 1) {
    for (const [kind, code] of [['missing', 'upstream.model'], ['invalid', 'upstream.rejected'], ['unavailable', 'upstream.key'], ['refused', 'budget_exceeded']] as const) {
      breakers.failed(circuit, new Fault(kind, code, 'no'))
    }
  }
  assert.equal(breakers.refuse(circuit), undefined)
})

test('who says when to come back is not asked before, and then by everybody', () => {
  const { clock, breakers } = breakersAt()
  breakers.failed(circuit, new Fault('unavailable', 'upstream.limited', 'slow down', { retryAfter: 30 }))
  clock.now = 29_000
  const fault = breakers.refuse(circuit)
  assert.equal(fault?.code, 'upstream.limited')
  assert.equal(fault?.details['retryAfter'], 1)
  clock.now = 30_000
  assert.equal(breakers.refuse(circuit), undefined)
  assert.equal(breakers.refuse(circuit), undefined)
})

test('a thousand names of models are remembered and no more', () => {
  const { breakers } = breakersAt()
  for (let i = 0; i < 2_000; i += 1) for (let times = 0; times < 3; times += 1) breakers.failed({ ...circuit, model: `m${i}` }, broken)
  assert.equal(breakers.resting().length, 1_000)
})
