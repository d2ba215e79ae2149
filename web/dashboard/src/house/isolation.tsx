import { IconShieldCheck, IconShieldExclamation, IconShieldHalf } from '@tabler/icons-react'
import type { House } from '../api/views.ts'
import { Section } from '../parts/section.tsx'
import { sentence } from '../words/sentence.ts'

const told = {
  'separate-uids': { tone: 'good', Icon: IconShieldCheck, title: 'Every process runs as a user of its own', means: 'None can read what another holds, whatever a model or a letter tells it to do.' },
  sandboxed: { tone: 'warn', Icon: IconShieldHalf, title: 'Processes share a user, workers are sandboxed', means: 'Workers have no network and see declared folders only; the rest trusts the user that it runs as.' },
  demonstration: { tone: 'warn', Icon: IconShieldExclamation, title: 'This is a demonstration', means: 'All processes share one user, so nothing but good manners keeps one from what another holds. Connect no real account to it.' },
} as const

/** How far apart the processes really are, in plain words. */
export function Isolation({ isolation }: { isolation: House['isolation'] }) {
  const { tone, Icon, title, means } = told[isolation.mode]
  return (
    <Section title="Isolation">
      <div className={`card isolation tone-${tone}`}>
        <Icon size={24} stroke={1.75} aria-hidden />
        <div>
          <div className="title">{title}</div>
          <p className="soft">{means}</p>
          <p className="faint">{sentence(isolation.detail)}</p>
        </div>
      </div>
    </Section>
  )
}
