import fc from 'fast-check'
import type { BlockStore } from './block-store.ts'
import type { Ceiling } from './ceiling.ts'
import { createPurse, type Draw } from './purse.ts'

/** One thing that happens to a gate. */
export type Act =
  /** A call of a lane, reckoned at `most`, that came to a part of it, or to more than was reckoned. */
  | { readonly kind: 'call'; readonly lane: 'a' | 'b'; readonly most: number; readonly part: number; readonly excess: boolean }
  /** The call that has been under way longest, or shortest, is over. */
  | { readonly kind: 'settle'; readonly last: boolean }
  | { readonly kind: 'crash' }
  | { readonly kind: 'stop' }

export interface History {
  readonly blockSize: number
  readonly limits: { readonly all: number; readonly a: number }
  readonly acts: readonly Act[]
}

const call = fc.record({
  kind: fc.constant('call' as const), lane: fc.constantFrom('a' as const, 'b' as const), most: fc.integer({ min: 1, max: 60 }),
  part: fc.double({ min: 0, max: 1, noNaN: true }), excess: fc.boolean(),
})
const settle = fc.record({ kind: fc.constant('settle' as const), last: fc.boolean() })

export const anyHistory: fc.Arbitrary<History> = fc.record({
  blockSize: fc.integer({ min: 5, max: 100 }),
  limits: fc.record({ all: fc.integer({ min: 0, max: 500 }), a: fc.integer({ min: 0, max: 300 }) }),
  acts: fc.array(
    fc.oneof({ weight: 6, arbitrary: call }, { weight: 4, arbitrary: settle }, { weight: 1, arbitrary: fc.constant<Act>({ kind: 'crash' }) }, { weight: 1, arbitrary: fc.constant<Act>({ kind: 'stop' }) }),
    { maxLength: 40 },
  ),
})

/** The ledger of calls, as far as money is concerned. */
export interface CallBook {
  open(block: string, reserved: number): Promise<string>
  close(id: string, cost: number): Promise<void>
  /** Calls that a gate that died left open cost what was reserved. */
  sweep(): Promise<void>
  account(name: string): Promise<{ readonly spent: number; readonly counted: number }>
}

interface Played {
  readonly accounts: readonly { readonly name: string; readonly limit: number; readonly spent: number; readonly reported: number; readonly counted: number }[]
  /** Calls that found no room although there was. */
  readonly heldBackWithRoom: number
}

interface UnderWay {
  readonly id: string
  readonly draw: Draw
  readonly accounts: readonly string[]
  readonly cost: number
}

/** Plays a history against a store, ends it with a stop, and says what became of the money. */
export async function playHistory({ blockSize, limits, acts }: History, store: BlockStore & CallBook, unit = 1): Promise<Played> {
  const ceilings = (lane: 'a' | 'b'): Ceiling[] => [
    { name: 'day', per: 'day', limit: (limits.all * unit) / 1e9 },
    ...(lane === 'a' ? [{ name: 'day lane a', per: 'day' as const, limit: (limits.a * unit) / 1e9 }] : []),
  ]
  const limitOf: Record<string, number> = { day: limits.all * unit, 'day lane a': limits.a * unit }
  const open = () => createPurse({ store, blockSize: blockSize * unit, now: () => 0, onError: (error) => { throw error } })
  const reported: Record<string, number> = { day: 0, 'day lane a': 0 }
  let purse = open()
  let underWay: UnderWay[] = []
  let heldBackWithRoom = 0
  // upstreams that report more than was reckoned pass a ceiling by what they lie, so what they lie is kept to a block
  let lies = blockSize
  const report = ({ accounts }: UnderWay, cost: number) => accounts.forEach((name) => (reported[name]! += cost))
  const finish = async (call: UnderWay) => {
    await store.close(call.id, call.cost)
    report(call, call.cost)
    call.draw.settle(call.cost)
  }

  for (const act of acts) {
    if (act.kind === 'call') {
      const accounts = ceilings(act.lane).map(({ name }) => name)
      const most = act.most * unit
      const drawn = await purse.draw(ceilings(act.lane), most)
      if (drawn.outcome === 'exceeded') {
        const held = (name: string) => underWay.filter((one) => one.accounts.includes(name)).reduce((sum, { draw }) => sum + draw.amount, 0)
        if (accounts.every((name) => reported[name]! + held(name) + most <= limitOf[name]!)) heldBackWithRoom += 1
        continue
      }
      const excess = act.excess ? Math.min(lies, 3) : 0
      lies -= excess
      const cost = excess > 0 ? most + excess * unit : Math.floor(most * act.part)
      underWay.push({ id: await store.open(drawn.draw.block, most), draw: drawn.draw, accounts, cost })
    } else if (act.kind === 'settle') {
      const call = act.last ? underWay.pop() : underWay.shift()
      if (call) await finish(call)
    } else if (act.kind === 'crash') {
      await store.sweep()
      for (const call of underWay) report(call, call.draw.amount)
      underWay = []
      await store.recover()
      purse = open()
    } else {
      for (const call of underWay.splice(0)) await finish(call)
      await purse.close()
      purse = open()
    }
  }
  for (const call of underWay.splice(0)) await finish(call)
  await purse.close()
  const accounts = await Promise.all(Object.keys(limitOf).map(async (name) => ({ name, limit: limitOf[name]!, reported: reported[name]!, ...(await store.account(name)) })))
  return { accounts, heldBackWithRoom }
}

/** What 0009_spending.sql does, in memory. */
export function memoryBlocks({ validMs = 1e9 } = {}): BlockStore & CallBook & { asked(): number } {
  const counted = new Map<string, number>()
  const blocks = new Map<string, { amount: number; open: boolean; readonly names: readonly string[] }>()
  const calls = new Map<string, { readonly block: string; cost: number; open: boolean }>()
  let asked = 0
  const add = (names: readonly string[], amount: number) => names.forEach((name) => counted.set(name, (counted.get(name) ?? 0) + amount))
  const ofBlock = (id: string) => [...calls.values()].filter((call) => call.block === id)
  const sum = (list: readonly { cost: number }[]) => list.reduce((total, { cost }) => total + cost, 0)
  const giveBack = async (id: string, keep?: number) => {
    const block = blocks.get(id)
    if (!block?.open) return
    const spent = Math.max(sum(ofBlock(id)), keep ?? 0)
    add(block.names, spent - block.amount)
    block.amount = spent
    block.open = keep !== undefined || ofBlock(id).some((call) => call.open)
  }
  return {
    asked: () => asked,
    async reserve(id, ceilings, needed, wanted) {
      asked += 1
      const rooms = ceilings.map(({ name, limit }) => ({ name, limit: Math.round(limit * 1e9), counted: counted.get(name) ?? 0 })).map((one) => ({ ...one, room: one.limit - one.counted }))
      const tight = rooms.reduce((a, b) => (b.room < a.room ? b : a))
      if (tight.room < needed) return { outcome: 'exceeded', ceiling: tight.name, limit: tight.limit, counted: tight.counted, room: Math.max(0, tight.room), startsAt: '', resetsAt: '' }
      const amount = Math.min(Math.max(needed, wanted), tight.room)
      const names = ceilings.map(({ name }) => name)
      add(names, amount)
      blocks.set(id, { amount, open: true, names })
      return { outcome: 'reserved', amount, validMs }
    },
    giveBack,
    async recover() {
      const left = [...blocks].filter(([, { open }]) => open)
      for (const [id] of left) await giveBack(id)
      return left.length
    },
    look: async () => {},
    reached: async () => {},
    async open(block, cost) {
      const id = String(calls.size)
      calls.set(id, { block, cost, open: true })
      return id
    },
    async close(id, cost) {
      const call = calls.get(id)!
      call.cost = cost
      call.open = false
    },
    async sweep() {
      for (const call of calls.values()) call.open = false
    },
    async account(name) {
      const spent = sum([...calls.values()].filter(({ block }) => blocks.get(block)!.names.includes(name)))
      return { spent, counted: counted.get(name) ?? 0 }
    },
  }
}
