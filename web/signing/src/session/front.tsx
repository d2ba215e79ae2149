import { IconBuildingCastle } from '@tabler/icons-react'
import type { ReactNode } from 'react'

interface FrontProps {
  readonly title: string
  readonly house?: string | undefined
  readonly children: ReactNode
}

/** Before the door: one card, one thing to do. */
export function Front({ title, house, children }: FrontProps) {
  return (
    <main className="front">
      <div className="front-card">
        <p className="front-house">
          <IconBuildingCastle size={20} aria-hidden="true" />
          <span>Castellan</span>
          {house !== undefined && <span className="front-name">{house}</span>}
        </p>
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  )
}
