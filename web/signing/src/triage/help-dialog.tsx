import { Button } from '../look/button.tsx'
import { Dialog } from '../look/dialog.tsx'
import { keyTable } from './keymap.ts'

interface HelpDialogProps {
  readonly letters: boolean
  readonly onLetters: (on: boolean) => void
  readonly onClose: () => void
}

export function HelpDialog({ letters, onLetters, onClose }: HelpDialogProps) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="help">
        {keyTable.map(([keys, what]) => (
          <div key={what} data-off={(!letters && keys.every((key) => key.length === 1 && !'↓↑'.includes(key))) || undefined}>
            <dt>{keys.filter((key) => letters || key.length > 1 || '↓↑'.includes(key)).map((key) => <kbd key={key} className="kbd">{key}</kbd>)}{!letters && keys.every((key) => key.length === 1 && !'↓↑'.includes(key)) && 'off'}</dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className="switch"><input type="checkbox" checked={letters} onChange={(event) => onLetters(event.target.checked)} />Single letters are shortcuts</label>
      <div className="dialog-foot"><Button data-focus onClick={onClose}>Close</Button></div>
    </Dialog>
  )
}
