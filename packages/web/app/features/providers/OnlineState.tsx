import type { ProfileRecord } from "@quorate/wire";
import type { ReactNode } from "react";
import { useChainTime } from "../../market/index.ts";
import { Age } from "../../parts/JobTable.tsx";
import { isOnline } from "../../parts/online.ts";
import { Badge } from "../../ui/index.ts";

/** Online, last seen, or nothing known. */
export function OnlineState({ profile }: { readonly profile: ProfileRecord | undefined }): ReactNode {
  // Signs of life run out while nothing else changes.
  useChainTime();
  if (profile === undefined) return <Badge>No profile</Badge>;
  if (isOnline(profile, Date.now() / 1000)) return <Badge tone="good">Online</Badge>;
  if (profile.presence === undefined) return <Badge>Not seen</Badge>;
  return (
    <span className="small">
      <Badge tone="warn">Offline</Badge> seen <Age at={profile.presence.createdAt} />
    </span>
  );
}
