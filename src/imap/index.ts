export { createEntrance, type Entrance } from './entrance.ts'
export { imapFault, mayPass } from './imap-fault.ts'
export type { ImapLimits } from './open-imap.ts'
