import type { HouseFiles } from './house-files.ts'

export const filesUnderAttack = (): HouseFiles => ({ vault: {}, mailbox: {}, jobs: {} })
