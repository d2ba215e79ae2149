import { z } from 'zod'
import { asIsActions, defaultAsIs, defaultPolicy, redactionActions } from '../../labels/index.ts'
import { clearanceSchema, nameSchema } from './values.ts'

const action = z.enum(redactionActions)
const { documents: ofDocuments, ...defaults } = defaultPolicy

const redaction = z
  .strictObject({
    personal: action.prefault(defaults.personal).describe('Addresses, phone numbers, bank accounts, cards, ids and the like.'),
    words: action.prefault(defaults.words).describe('What stands in dictionary.yaml.'),
    secrets: z.enum(['local', 'block']).prefault(defaults.secrets).describe('Keys and passwords. They are never handed on in any form.'),
    documents: z
      .strictObject({
        legal: action.prefault(ofDocuments.legal).describe('What reads like a lawyer’s or a court’s letter.'),
        health: action.prefault(ofDocuments.health).describe('What reads like a doctor’s letter.'),
        finance: action.prefault(ofDocuments.finance).describe('What reads like a payslip, a tax notice or a bank statement.'),
      })
      .prefault({}),
  })

const asIsAction = z.enum(asIsActions)

const asIs = z.strictObject({
  personal: asIsAction.prefault(defaultAsIs.personal).describe('Addresses, phone numbers, bank accounts, cards, ids and the like.'),
  words: asIsAction.prefault(defaultAsIs.words).describe('What stands in dictionary.yaml.'),
  secrets: asIsAction.prefault(defaultAsIs.secrets).describe('Keys and passwords.'),
  documents: z
    .strictObject({
      legal: asIsAction.prefault(defaultAsIs.documents.legal).describe('What reads like a lawyer’s or a court’s letter.'),
      health: asIsAction.prefault(defaultAsIs.documents.health).describe('What reads like a doctor’s letter.'),
      finance: asIsAction.prefault(defaultAsIs.documents.finance).describe('What reads like a payslip, a tax notice or a bank statement.'),
    })
    .prefault({}),
})

const lane = z.strictObject({
  worker: z
    .enum(['open', 'private'])
    .prefault('private')
    .describe('Which worker executes its runs. `open` may use cloud models and is given only what they may see.'),
  cloud_clearance: clearanceSchema
    .prefault('none')
    .describe('The highest level that may reach a cloud model: `none`, P0 or P1. P2 takes your signature, for one provider: `castellan lane clear`.'),
  providers: z
    .array(nameSchema)
    .optional()
    .describe('The upstreams that this lane allows. Left out: those on this machine. `[]`: none.'),
  redact: z
    .union([z.boolean(), redaction])
    .prefault(false)
    .describe('Whether gate local may take names, addresses, numbers and the like out of a call and hand the rest on to a cloud model, as one level lower. Never for P3 local only. Instead of `true`: what becomes of each kind of thing, `redact` (taken out), `local` (a model of your own machines answers instead) or `block`.'),
  as_is: z
    .strictObject({ P0: asIs.optional(), P1: asIs.optional(), P2: asIs.optional() })
    .prefault({})
    .describe('What becomes of a call that a cloud model may have as it is, by its level, when one of these kinds of things is found in it: `pass` (it goes), `local` (a model of your own machines answers instead) or `block`. What is not said here: secrets are blocked, all else passes.'),
})

export const lanesSectionSchema = z
  .record(nameSchema, lane)
  .prefault({ private: { worker: 'private', cloud_clearance: 'none' }, open: { worker: 'open', cloud_clearance: 'P1' } })
  .describe('Streams of work with their own rules. What has passed through two lanes obeys both. `private` and `house` always exist.')
