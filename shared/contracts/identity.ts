import { z } from "zod";

export const roles = ["viewer", "member", "approver", "admin"] as const;
export type Role = (typeof roles)[number];

const rank: Record<Role, number> = { viewer: 0, member: 1, approver: 2, admin: 3 };

/** Whether a role may do what asks for `needed`. */
export const roleAllows = (role: Role, needed: Role): boolean => rank[role] >= rank[needed];

/** Who acts, and for which tenant. */
export type Principal = { id: string; organizationId: string; role: Role };

export const factoryNameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, {
  error: "must be lower-case letters, digits and dashes, at most 63",
});

/** What a factory's service binding carries in `props`; it is fixed in its configuration, never an argument. */
export const factoryPropsSchema = z.strictObject({
  organization: z.string().min(1).max(100),
  factory: factoryNameSchema,
});

export const createTokenSchema = z
  .strictObject({
    principal: z.string().regex(/^(user|factory):[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/, {
      error: "must be user:name or factory:name",
    }),
    role: z.enum(roles),
    expiresInDays: z.int().min(1).max(3650).optional(),
  })
  .meta({ id: "CreateToken" });
export type CreateToken = z.infer<typeof createTokenSchema>;
