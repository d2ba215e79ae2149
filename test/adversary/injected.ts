import type { HouseFiles } from './house-files.ts'
import { launderingJobs } from './laundering.ts'

export const filesUnderAttack = (): HouseFiles => ({ vault: {}, mailbox: { 'confidential.eml': 'From: Eva <eva@example.org>\r\nTo: house@halden.example\r\nSubject: confidential\r\n\r\nx\r\n' }, jobs: { ...launderingJobs } })
