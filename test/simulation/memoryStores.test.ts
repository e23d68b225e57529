import { everyStoreSuite } from "../contracts/everyStoreSuite.ts";
import { memoryStores } from "./memoryStores.ts";
import { countedIds } from "./sqlStores.ts";

everyStoreSuite("memory", async () => memoryStores(countedIds()));
