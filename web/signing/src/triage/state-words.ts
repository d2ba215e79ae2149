import type { DraftState } from '../releaser/answers.ts'
import type { Act } from './triage-state.ts'

/** Each state in a word, how it feels, and what it means. */
export const stateWords: Readonly<Record<DraftState, { readonly word: string; readonly tone: 'plain' | 'calm' | 'warm' | 'alarm'; readonly means: string }>> = {
  waiting: { word: 'waiting', tone: 'plain', means: 'It waits for your decision.' },
  signed: { word: 'signed', tone: 'calm', means: 'It is signed and about to be held.' },
  held: { word: 'held', tone: 'calm', means: 'It is signed, and held so that you can take it back.' },
  releasing: { word: 'leaving', tone: 'calm', means: 'It is leaving now.' },
  released: { word: 'released', tone: 'calm', means: 'It left the house, once, exactly as it was signed.' },
  failed: { word: 'failed', tone: 'alarm', means: 'It did not leave.' },
  unknown: { word: 'unknown', tone: 'alarm', means: 'Nobody knows whether it left. It is not sent again by itself.' },
  denied: { word: 'rejected', tone: 'plain', means: 'You rejected it. It does not leave.' },
  expired: { word: 'expired', tone: 'plain', means: 'Its time was over before anybody signed: that counts as denied.' },
  undone: { word: 'taken back', tone: 'plain', means: 'You took the approval back; another draft waits in its place.' },
  replaced: { word: 'replaced', tone: 'plain', means: 'It was edited: another draft waits in its place. This one can never be signed again.' },
}

export const doingWords: Readonly<Record<Extract<Act, { doing: string }>['doing'], string>> = {
  signing: 'signing …', passkey: 'asks for the passkey …', rejecting: 'rejecting …', snoozing: 'snoozing …', undoing: 'taking back …', saving: 'saving …', resolving: 'noting …',
}
