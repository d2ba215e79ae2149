import assert from 'node:assert/strict'
import { test } from 'node:test'
import { classify } from './classify.ts'

const classOf = (text: string) => classify(text)[0]?.class

const letters: readonly [string, string | undefined][] = [
  ['Dear Ms Doe, the biopsy of 3 May confirms the diagnosis. The patient should begin chemotherapy next week; the dosage is in the discharge summary.', 'health'],
  ['Sehr geehrte Frau Kollegin, anbei der Arztbrief zu unserer gemeinsamen Patientin. Diagnose: Diabetes Typ 2. Blutdruck 140/90, die Blutwerte sind unauffällig.', 'health'],
  ['Ihr Termin in der Praxis: bitte bringen Sie die Versichertenkarte der Krankenkasse und den Überweisungsschein vom Hausarzt mit.', 'health'],
  ['In the matter of Smith v. Jones the plaintiff hereby seeks damages for breach of contract; the defendant has filed an affidavit with the court.', 'legal'],
  ['In dem Rechtsstreit vor dem Landgericht Köln, Aktenzeichen 12 O 34/26, beantragt die Beklagte, die Klage abzuweisen. Der Streitwert beträgt 12.000 Euro.', 'legal'],
  ['Namens und in Vollmacht meines Mandanten spreche ich eine Abmahnung aus und setze eine Frist zur Abgabe der Unterlassungserklärung.', 'legal'],
  ['Anbei Ihre Gehaltsabrechnung für Mai: brutto 4.200 EUR, netto 2.700 EUR. Die Überweisung geht auf Ihr Konto.', 'finance'],
  ['Please find the balance sheet and the profit and loss statement. Revenue rose; the mortgage carries interest of 4 per cent.', 'finance'],
  ['Das Finanzamt hat den Steuerbescheid geschickt: der Betrag ist am 10. fällig, sonst fallen Zinsen an.', 'finance'],
  ['Can we move our meeting to Thursday? I shall bring the drafts of the website and the photographs.', undefined],
  ['The patient reader of this manual will see that a clause of SQL is a part of a statement.', undefined],
  ['Unser Server war am Dienstag nicht erreichbar. Die Ursache war ein Zertifikat; wir haben es erneuert und überwachen es nun.', undefined],
  ['Angebot über eine neue Heizung: Kessel, Montage, zwei Tage Arbeit. Rechnung nach Abnahme, Zahlung in 14 Tagen.', undefined],
  ['The doctor is in the house: a talk about debugging, at the clinic of the computer science department.', undefined],
  ['npm run test -- --watch; the court jester of shells. Hereby I close the issue.', undefined],
]

test('letters of doctors, lawyers and banks are told from others', () => {
  for (const [text, expected] of letters) assert.equal(classOf(text), expected, text)
})

test('what made it so is told, each word once', () => {
  const [found] = classify('Diagnosis, diagnosis and diagnosis: the patient has no symptoms and no pain')
  assert.deepEqual([found?.class, found?.score, found?.because], ['health', 7, ['diagnosis', 'patient', 'symptoms', 'pain']])
  assert.deepEqual(classify('chemotherapy '.repeat(100)), [])
})
