/** What is not the writer's own word: quotations, signatures, the line above a quotation. */
const quoted = /^\s{0,3}>|^\s*(?:On .{5,100} wrote|Am .{5,100} schrieb .{1,100}):\s*$/
const signature = /^-- ?$/
const longest = 400
const shortest = 15

/** The sentences of a text, in order. */
export function sentencesOf(text: string): string[] {
  const lines: string[] = []
  for (const line of text.split(/\r?\n/)) {
    if (signature.test(line)) break
    if (!quoted.test(line)) lines.push(line.replace(/^\s*(?:[-*•]|#{1,6}|\d{1,2}[.)])\s+/, '\n').trimEnd())
  }
  return lines
    .join('\n')
    .split(/\n{2,}|(?<=[.!?…])["»”)]?\s+(?=["«„“(]?[\p{Lu}\d])/u)
    .map((sentence) => sentence.replace(/\s+/g, ' ').trim())
    .filter((sentence) => sentence.length >= shortest && /\p{L}/u.test(sentence))
    .map((sentence) => (sentence.length > longest ? `${sentence.slice(0, longest - 1).toWellFormed()}…` : sentence))
}

/** The words that say what a sentence is about, in lower case. */
export function contentWords(sentence: string): string[] {
  return (sentence.toLowerCase().match(/\p{L}[\p{L}\p{N}'-]{2,}/gu) ?? []).filter((word) => !stopwords.has(word))
}

const stopwords = new Set((
  'the and for that this with from have has had are was were will would can could should been not but you your our their his her its they them she him who what when where which ' +
  'there here than then also just more most some any all one two about into over after before please dear regards best thanks thank hello ' +
  'der die das den dem des ein eine einen einem einer eines und oder aber nicht ist sind war waren wird werden wurde haben hat hatte kann können soll sollen muss müssen ' +
  'ich wir sie ihr ihre ihren ihnen uns unser unsere mein meine sein seine auf aus bei mit nach von vor für über unter durch gegen ohne bis zum zur als wie wenn dass weil auch noch nur schon ' +
  'sehr mehr hier dort dann bitte danke hallo liebe lieber guten tag grüße freundlichen grüßen herr frau http https www com'
).split(' '))
