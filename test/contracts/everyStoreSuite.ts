import { describe } from "vitest";
import { acceptSuite } from "./acceptSuite.ts";
import { approvalSuite } from "./approvalSuite.ts";
import { auditSuite } from "./auditSuite.ts";
import { deadLetterSuite } from "./deadLetterSuite.ts";
import { movedSuite } from "./movedSuite.ts";
import { orderSuite } from "./orderSuite.ts";
import { settingsSuite } from "./settingsSuite.ts";
import { staleFenceSuite } from "./staleFenceSuite.ts";
import { storeSuite } from "./storeSuite.ts";
import type { OpenStores } from "./storeWay.ts";
import { turnSuite } from "./turnSuite.ts";
import { waitingSuite } from "./waitingSuite.ts";

/** All that the stores must do, whatever they keep their rows in. */
export function everyStoreSuite(place: string, open: OpenStores): void {
  describe(`the stores in ${place}`, () => storeSuite(open));
  describe(`accepting in ${place}`, () => acceptSuite(open));
  describe(`turns in ${place}`, () => turnSuite(open));
  describe(`waiting in ${place}`, () => waitingSuite(open));
  describe(`approvals in ${place}`, () => approvalSuite(open));
  describe(`a branch that moved in ${place}`, () => movedSuite(open));
  describe(`orders in ${place}`, () => orderSuite(open));
  describe(`dead letters in ${place}`, () => deadLetterSuite(open));
  describe(`settings in ${place}`, () => settingsSuite(open));
  describe(`the audit trail in ${place}`, () => auditSuite(open));
  describe(`a stale fence in ${place}`, () => staleFenceSuite(open));
}
