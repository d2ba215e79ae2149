import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { shortId } from '../words/wording.ts'

/** A run by its short id, or by what the place says of it. */
export function RunLink({ id, children }: { id: string; children?: ReactNode }) {
  return <Link className="link" to="/runs/$id" params={{ id }}>{children ?? <span className="mono">{shortId(id)}</span>}</Link>
}
