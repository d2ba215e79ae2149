import { z } from 'zod'
import { lanesSchema, levelSchema, nameSchema, patternSchema } from './settings/values.ts'

const rule = z
  .strictObject({
    folder: z.string().min(1).max(1000).optional().describe('A declared folder and a path in it, e.g. vault/public. The first rule about a place decides.'),
    source: z.enum(['mail']).optional().describe('What came by mail. Such a rule can only raise, because a stranger wrote the message.'),
    account: nameSchema.optional().describe('With `source: mail`: one mailbox.'),
    from: patternSchema.optional().describe('With `source: mail`: the sender, e.g. "*@surgery.example".'),
    to: patternSchema.optional().describe('With `source: mail`: one of the recipients.'),
    subject: patternSchema.optional().describe('With `source: mail`: the subject, e.g. "*confidential*".'),
    label: levelSchema.describe('The level.'),
    integrity: z.enum(['trusted', 'untrusted']).optional().describe('With `folder`: could a stranger have written what lies there? Default: as the folder.'),
    lanes: lanesSchema.optional().describe('With `folder`: the lanes it belongs to. Default: as the folder.'),
  })
  .superRefine((value, context) => {
    const mailKeys = (['account', 'from', 'to', 'subject'] as const).filter((key) => value[key] !== undefined)
    const complain = (message: string, instead: string, path: string[] = []) =>
      context.addIssue({ code: 'custom', message, path, params: { instead } })
    if ((value.folder === undefined) === (value.source === undefined)) {
      complain('a rule is about a folder or about a source, and this names ' + (value.folder === undefined ? 'neither' : 'both'), 'write `folder: vault/public` or `source: mail`')
    } else if (value.folder !== undefined) {
      for (const key of mailKeys) complain(`${key} is no condition for a folder`, 'use it with `source: mail`', [key])
    } else {
      if (value.integrity === 'trusted') complain('mail is never trusted: anyone can write a sender', 'leave integrity out', ['integrity'])
      if (value.lanes !== undefined) complain('a mail rule cannot change lanes: they belong to the account', 'write the lanes under mail.accounts in castellan.yaml', ['lanes'])
    }
  })

/** labels.yaml: the ingest table. */
export const labelsSchema = z.array(rule).max(1000)
export type LabelsFile = z.output<typeof labelsSchema>
