export const documentClasses = ['legal', 'health', 'finance'] as const
export type DocumentClass = (typeof documentClasses)[number]

/**
 * Words of each class in English and German by weight: 3 hardly stands anywhere else, 2 mostly here, 1 often. Rules of our own, to be read and argued with;
 * `classify.test.ts` has the letters that they are held against.
 */
export const terms: Readonly<Record<DocumentClass, Readonly<Record<number, readonly string[]>>>> = {
  legal: {
    3: ['plaintiff', 'defendant', 'affidavit', 'subpoena', 'power of attorney', 'attorney-client privilege', 'cease and desist', 'Klageschrift', 'Beklagter', 'Beklagte', 'Rechtsanwalt', 'Rechtsanwältin', 'Mandant', 'Mandantin',
      'Vollmacht', 'Aktenzeichen', 'Amtsgericht', 'Landgericht', 'eidesstattliche Versicherung', 'Abmahnung', 'Unterlassungserklärung', 'Streitwert', 'Mahnbescheid', 'Räumungsklage'],
    2: ['lawsuit', 'litigation', 'attorney', 'solicitor', 'barrister', 'settlement agreement', 'indemnify', 'indemnification', 'breach of contract', 'non-disclosure agreement', 'governing law', 'jurisdiction', 'statute of limitations', 'testament',
      'Kündigungsschutzklage', 'Gerichtsstand', 'Vertragsstrafe', 'Schadensersatz', 'Geheimhaltungsvereinbarung', 'Haftungsausschluss', 'Verjährung', 'Gläubiger', 'Schuldner', 'Widerspruchsfrist', 'Berufung einlegen', 'Vergleich schließen'],
    1: ['court', 'clause', 'liability', 'hereby', 'pursuant to', 'whereas', 'notary', 'hearing', 'Gericht', 'Klausel', 'Haftung', 'hiermit', 'gemäß', 'Notar', 'Anwalt', 'Frist', 'Paragraph'],
  },
  health: {
    3: ['biopsy', 'chemotherapy', 'HIV', 'prognosis', 'discharge summary', 'medical record', 'antidepressant', 'Befundbericht', 'Arztbrief', 'Entlassungsbrief', 'Anamnese', 'Chemotherapie', 'Biopsie', 'Schwangerschaft', 'Krankschreibung',
      'Arbeitsunfähigkeitsbescheinigung', 'Überweisungsschein', 'Patientenakte', 'Psychotherapie', 'Schwerbehinderung'],
    2: ['diagnosis', 'patient', 'symptoms', 'prescription', 'dosage', 'blood pressure', 'surgery', 'depression', 'diabetes', 'tumour', 'tumor', 'allergy', 'psychiatrist', 'pregnant', 'Diagnose', 'Patient', 'Patientin', 'Symptome', 'Rezept', 'Dosierung',
      'Blutdruck', 'Blutwerte', 'Operation', 'Befund', 'Krankenkasse', 'Allergie', 'Facharzt', 'Hausarzt', 'Klinik', 'Krankenhaus', 'Reha'],
    1: ['doctor', 'clinic', 'hospital', 'treatment', 'therapy', 'pain', 'mg', 'insurance', 'appointment', 'Arzt', 'Ärztin', 'Praxis', 'Behandlung', 'Therapie', 'Schmerzen', 'Tabletten', 'Untersuchung', 'Termin'],
  },
  finance: {
    3: ['tax return', 'payslip', 'balance sheet', 'profit and loss', 'bank statement', 'insolvency', 'Steuerbescheid', 'Steuererklärung', 'Gehaltsabrechnung', 'Lohnabrechnung', 'Kontoauszug', 'Jahresabschluss', 'Gewinn- und Verlustrechnung', 'Umsatzsteuervoranmeldung',
      'Insolvenz', 'betriebswirtschaftliche Auswertung', 'Schufa'],
    2: ['salary', 'mortgage', 'loan agreement', 'dividend', 'equity', 'invoice', 'overdraft', 'revenue', 'EBITDA', 'tax office', 'Gehalt', 'Darlehen', 'Kredit', 'Finanzamt', 'Umsatz', 'Rechnung', 'Bilanz', 'Steuernummer', 'Vermögen', 'Depot', 'Kaution', 'Zinsen', 'Mahnung'],
    1: ['account', 'payment', 'amount', 'balance', 'interest', 'tax', 'net', 'gross', 'due date', 'Konto', 'Zahlung', 'Betrag', 'Saldo', 'Steuer', 'netto', 'brutto', 'fällig', 'Überweisung', 'EUR'],
  },
}
