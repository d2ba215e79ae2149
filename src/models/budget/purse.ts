import { newId } from '../../kernel/ids.ts'
import type { BlockStore, Reservation } from './block-store.ts'
import type { Ceiling } from './ceiling.ts'

/** Money that one call holds; it must be settled once, whatever became of the call. */
export interface Draw {
  /** The block that it comes from. */
  readonly block: string
  readonly amount: number
  settle(spent: number): void
}

/** Money of one gate in its memory: blocks that are durable elsewhere, and what its calls hold of them. Amounts in billionths of a euro. */
export interface Purse {
  /**
   * Holds at least `needed` under every one of these ceilings, from a block that it has or from a new one.
   * `enough`: what the caller takes instead when there is not room for all that is needed. Where calls under way hold
   * what is missing, it waits for them: they reserved the most that they can cost, and most cost less.
   */
  draw(ceilings: readonly Ceiling[], needed: number, enough?: number): Promise<{ readonly outcome: 'drawn'; readonly draw: Draw } | Exceeded>
  /** Gives back what no call holds. */
  close(): Promise<void>
}

type Exceeded = Extract<Reservation, { outcome: 'exceeded' }>

interface Block {
  readonly id: string
  readonly scope: string
  readonly ceilings: readonly string[]
  readonly validUntil: number
  /** Free to be drawn. Below nothing: calls cost more than was reckoned. */
  left: number
  /** Held by calls that are under way. */
  held: number
  settled: number
  /** Nothing is drawn from it any more. */
  retired: boolean
}

export interface PurseDeps {
  readonly store: BlockStore
  /** What a block has at least when there is room for it. */
  readonly blockSize: number
  /** Milliseconds. */
  readonly now: () => number
  /** A block that could not be given back is counted as spent until the gate starts again. */
  readonly onError: (error: unknown) => void
  /** Milliseconds that a call waits for what others hold. */
  readonly patience?: number
  readonly onSettled?: (block: string, spent: number) => void
}

/** A block serves several calls, at once or in turn: each holds the most that it can cost, and most cost less. */
const callsInBlock = 8
const nanoInEur = 1e9

export function createPurse({ store, blockSize, now, onError, patience = 0, onSettled = () => {} }: PurseDeps): Purse {
  const waiting = new Set<() => void>()
  const blocks = new Map<string, Block>()
  let turn: Promise<unknown> = Promise.resolve()
  /** What settled calls are giving back just now. */
  let returning: Promise<void> = Promise.resolve()

  function usable(scope: string, needed: number): Block | undefined {
    for (const block of blocks.values()) {
      if (block.scope === scope && !block.retired && block.left >= needed && now() < block.validUntil) return block
    }
    return undefined
  }

  function take(block: Block, amount: number): Draw {
    block.left -= amount
    block.held += amount
    let open = true
    return {
      block: block.id,
      amount,
      settle(spent) {
        if (!open) return
        open = false
        block.held -= amount
        block.settled += spent
        if (!block.retired) block.left += amount - spent
        else if (block.held === 0) returning = returning.then(() => giveBack(block))
        onSettled(block.id, spent)
        for (const wake of waiting) wake()
      },
    }
  }

  /** What calls hold, and what they cost, stays; the rest is for others. */
  async function giveBack(block: Block): Promise<void> {
    block.retired = true
    block.left = 0
    try {
      if (block.held > 0) return await store.giveBack(block.id, block.held + block.settled)
      blocks.delete(block.id)
      await store.giveBack(block.id)
    } catch (error) {
      onError(error)
    }
  }

  async function reserve(ceilings: readonly Ceiling[], scope: string, needed: number, enough: number): Promise<Block | Exceeded> {
    await returning
    // one that is used up or out of date tells what it really cost before more is asked for; one with calls under way will have room again
    for (const block of [...blocks.values()].filter((one) => one.scope === scope && (one.held === 0 || now() >= one.validUntil))) await giveBack(block)
    const ask = async (least: number, most: number): Promise<Block | Exceeded> => {
      const id = newId()
      const asked = now()
      const reserved = await store.reserve(id, ceilings, least, most)
      if (reserved.outcome === 'exceeded') return reserved
      const block = { id, scope, ceilings: ceilings.map(({ name }) => name), validUntil: asked + reserved.validMs, left: reserved.amount, held: 0, settled: 0, retired: false }
      blocks.set(id, block)
      return block
    }
    // one ceiling is shared by several scopes: none takes more than half of it, unless a call needs that
    const share = Math.floor((Math.min(...ceilings.map(({ limit }) => limit)) * nanoInEur) / 2)
    const wanted = Math.max(needed, Math.min(share, Math.max(needed * callsInBlock, blockSize)))
    const first = await ask(needed, wanted)
    if (!('outcome' in first)) return first
    // what other blocks have and do not need may be all that is missing
    for (const block of [...blocks.values()]) await giveBack(block)
    return ask(enough, wanted)
  }

  /** Would there be room if calls under way cost nothing? */
  function mayComeFree({ ceiling, counted, limit }: Exceeded, enough: number): boolean {
    const held = [...blocks.values()].filter((block) => block.ceilings.includes(ceiling)).reduce((sum, block) => sum + block.held, 0)
    return held > 0 && counted - held + enough <= limit
  }

  function nextSettled(milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, milliseconds)
    waiting.add(resolve)
    return promise.finally(() => {
      clearTimeout(timer)
      waiting.delete(resolve)
    })
  }

  async function drawNow(ceilings: readonly Ceiling[], needed: number, enough: number): ReturnType<Purse['draw']> {
    const scope = JSON.stringify(ceilings.map(({ name, limit }) => [name, limit]))
    const ready = usable(scope, needed)
    if (ready) return { outcome: 'drawn', draw: take(ready, needed) }
    // one at a time: a crowd that finds a block used up needs one new block, not one each
    const mine = turn.then(async () => {
      const block = usable(scope, needed) ?? (await reserve(ceilings, scope, needed, enough))
      if ('outcome' in block) return block
      return { outcome: 'drawn' as const, draw: take(block, Math.min(needed, block.left)) }
    })
    turn = mine.catch(() => {})
    return mine
  }

  return {
    async draw(ceilings, needed, enough = needed) {
      const deadline = now() + patience
      for (;;) {
        const drawn = await drawNow(ceilings, needed, enough)
        const left = deadline - now()
        if (drawn.outcome === 'drawn' || left <= 0 || !mayComeFree(drawn, enough)) return drawn
        await nextSettled(left)
      }
    },
    async close() {
      await turn
      await returning
      for (const block of [...blocks.values()]) await giveBack(block)
    },
  }
}
