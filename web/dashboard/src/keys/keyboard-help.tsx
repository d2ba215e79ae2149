import '@mantine/core/styles/InlineInput.css'
import '@mantine/core/styles/Switch.css'
import '../parts/dialog-styles.ts'
import { Modal, Switch } from '@mantine/core'
import { pages } from '../app/pages.ts'
import './keyboard-help.css'

const groups: readonly { title: string; keys: readonly (readonly [readonly string[], string])[] }[] = [
  { title: 'Everywhere', keys: [[['Ctrl', 'K'], 'go to a page, a job or a run'], [['?'], 'these keys'], [['Esc'], 'back, or close']] },
  { title: 'In a list', keys: [[['j'], 'next'], [['k'], 'previous'], [['Enter'], 'open']] },
  { title: 'Go to', keys: pages.map(({ key, name }) => [['g', key], name] as const) },
]

interface HelpProps {
  readonly close: () => void
  readonly singleKeys: boolean
  readonly setSingleKeys: (wanted: boolean) => void
}

/** The keys, and the switch for those that are one letter. */
export function KeyboardHelp({ close, singleKeys, setSingleKeys }: HelpProps) {
  return (
    <Modal opened onClose={close} title="Keyboard" centered size="md" closeButtonProps={{ 'aria-label': 'Close' }}>
      <div className="key-groups">
        {groups.map(({ title, keys }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([caps, does]) => (
                <div key={does}>
                  <dt>{caps.map((cap) => <kbd className="cap" key={cap}>{cap}</kbd>)}</dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <Switch
        className="key-switch"
        checked={singleKeys}
        onChange={(event) => setSingleKeys(event.currentTarget.checked)}
        label="Keys of one letter"
        description="Off: only Ctrl K stays, for who dictates or whose hands slip"
      />
    </Modal>
  )
}
