import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import {
  Dialog as AriaDialog,
  Disclosure as AriaDisclosure,
  Tabs as AriaTabs,
  Button,
  DisclosurePanel,
  Heading,
  Modal,
  ModalOverlay,
  Tab,
  TabList,
  TabPanel,
} from "react-aria-components";
import { Button as AppButton } from "./Button.tsx";
import styles from "./Dialog.module.css";

/** Something that has to be looked at before anything else; Escape closes it. */
export function Dialog({
  title,
  isOpen,
  onClose,
  children,
}: {
  readonly title: string;
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <ModalOverlay
      className={styles.overlay ?? ""}
      isOpen={isOpen}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      isDismissable
    >
      <Modal className={styles.modal ?? ""}>
        <AriaDialog className={styles.dialog ?? ""}>
          <div className="row-apart">
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <AppButton kind="quiet" isSmall onPress={onClose}>
              Close
            </AppButton>
          </div>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

/** Views of one thing, one at a time. */
export function Tabs({
  label,
  tabs,
}: {
  readonly label: string;
  readonly tabs: readonly { readonly id: string; readonly title: ReactNode; readonly content: ReactNode }[];
}): ReactNode {
  return (
    <AriaTabs className={styles.tabs ?? ""}>
      <TabList className={styles.tabList ?? ""} aria-label={label}>
        {tabs.map(({ id, title }) => (
          <Tab key={id} id={id} className={styles.tab ?? ""}>
            {title}
          </Tab>
        ))}
      </TabList>
      {tabs.map(({ id, content }) => (
        <TabPanel key={id} id={id} className={styles.panel ?? ""}>
          {content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}

/** Details for those who want them. */
export function Disclosure({
  title,
  children,
  isOpenAtFirst = false,
}: {
  readonly title: string;
  readonly children: ReactNode;
  readonly isOpenAtFirst?: boolean;
}): ReactNode {
  return (
    <AriaDisclosure className={styles.disclosure ?? ""} defaultExpanded={isOpenAtFirst}>
      <Button slot="trigger" className={styles.trigger ?? ""}>
        <ChevronRight size={16} aria-hidden />
        {title}
      </Button>
      <DisclosurePanel>
        <div className={styles.disclosed}>{children}</div>
      </DisclosurePanel>
    </AriaDisclosure>
  );
}
