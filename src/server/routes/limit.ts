import { z } from 'zod'

/** How many rows a list may have. */
export const limit = (standard: number) => z.coerce.number().int().min(1).max(1000).default(standard)
