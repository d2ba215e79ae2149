import type { PagePath } from '../app/pages.ts'
import { pages } from '../app/pages.ts'

export interface KeyPress {
  readonly key: string
  readonly ctrlKey: boolean
  readonly metaKey: boolean
  readonly altKey: boolean
  /** The focus is where one types text. */
  readonly typing: boolean
}

export type Shortcut =
  | { readonly does: 'palette' | 'help' | 'back' | 'next' | 'previous' | 'await' }
  | { readonly does: 'go'; readonly path: PagePath }

interface Situation {
  /** `g` was pressed just before. */
  readonly awaiting: boolean
  /** Keys without Ctrl or ⌘ may be switched off, for those who dictate or whose hands slip. */
  readonly singleKeys: boolean
}

const single: Readonly<Record<string, Shortcut>> = {
  j: { does: 'next' }, k: { does: 'previous' }, g: { does: 'await' }, '?': { does: 'help' }, Escape: { does: 'back' },
}

/** What a key means here, if anything. */
export function shortcutOf(press: KeyPress, { awaiting, singleKeys }: Situation): Shortcut | undefined {
  if (press.altKey) return undefined
  if (press.ctrlKey || press.metaKey) return press.key.toLowerCase() === 'k' ? { does: 'palette' } : undefined
  if (press.typing || !singleKeys) return undefined
  const page = awaiting ? pages.find(({ key }) => key === press.key) : undefined
  return page ? { does: 'go', path: page.path } : single[press.key]
}

/** Which of `count` rows comes next, from the one that has the focus (-1: none). It stops at both ends. */
export function nextRow(focused: number, count: number, step: 1 | -1): number {
  if (count === 0) return -1
  if (focused === -1) return step === 1 ? 0 : count - 1
  return Math.min(Math.max(focused + step, 0), count - 1)
}
