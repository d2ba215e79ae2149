/** What a bench found out, one row of the table. */
export interface Figure {
  readonly name: string
  readonly unit: string
  /** Median of ours. */
  readonly value: number
  /** Lowest and highest of the rounds. */
  readonly spread: readonly [number, number]
  readonly peer?: { readonly name: string; readonly value: number; readonly spread: readonly [number, number] }
  readonly target: Target
}

/** `ratio`: ours over the peer's, at least; `atMost` and `atLeast`: the value itself. */
export type Target = { readonly ratio: number } | { readonly atMost: number } | { readonly atLeast: number }

/** The middle of the values, and their extremes. */
export function middle(values: readonly number[]): { value: number; spread: [number, number] } {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length >> 1
  const value = sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
  return { value, spread: [sorted[0]!, sorted.at(-1)!] }
}

export function median(values: readonly number[]): number {
  return middle(values).value
}

/** Ours over the peer's; undefined without a peer. */
export function ratioOf({ value, peer }: Figure): number | undefined {
  return peer === undefined ? undefined : value / peer.value
}

export function isMet(figure: Figure): boolean {
  const { target, value } = figure
  if ('ratio' in target) return ratioOf(figure)! >= target.ratio
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast
}
