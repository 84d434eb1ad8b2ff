import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { expiryWarning, renewalDays } from "../../names/certificates.ts";

export interface SelfSignedCertificateArgs {
  /** The main DNS name: the common name, as far as it fits. */
  readonly domain: string;
  /** DNS names of the certificate. */
  readonly names: pulumi.Input<readonly string[]>;
  /** Additional IP address of the certificate. @default - none */
  readonly address?: pulumi.Input<string>;
}

const days = (count: number) => count * 24;

/** Of a common name, which clients no longer read. https://www.rfc-editor.org/rfc/rfc5280#appendix-A.1 */
const longestName = 64;

/** The domain, without its first labels where it is too long; a label alone has at most 63 characters. */
function commonName(domain: string, ending = ""): string {
  const fits = (name: string) => name.length + ending.length <= longestName;
  const parents = domain.split(".").map((_, index, labels) => labels.slice(index).join("."));
  return `${parents.find(fits) ?? ""}${ending}`;
}

/** The stack's own CA (RSA 2048, 3650 days) and a leaf. The first `up` in the leaf's last 30 days renews it. */
export class SelfSignedCertificate extends pulumi.ComponentResource {
  /** PEM chain: the leaf, then the CA. */
  readonly crt: pulumi.Output<string>;
  /** PEM private key of the leaf; secret. */
  readonly key: pulumi.Output<string>;
  /** PEM certificate of the CA, for clients to trust. */
  readonly caCrt: pulumi.Output<string>;

  constructor(name: string, args: SelfSignedCertificateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("gke-microservices:index:SelfSignedCertificate", name, {}, opts);
    const parent = { parent: this };
    const rsa = { algorithm: "RSA", rsaBits: 2048 };

    const caKey = new tls.PrivateKey(`${name}-ca-key`, rsa, parent);
    const ca = new tls.SelfSignedCert(
      `${name}-ca`,
      {
        privateKeyPem: caKey.privateKeyPem,
        isCaCertificate: true,
        subject: { commonName: commonName(args.domain, " CA") },
        validityPeriodHours: days(3650),
        allowedUses: ["cert_signing", "crl_signing"],
      },
      // Clients trust this CA: a new domain must not replace it.
      { ...parent, ignoreChanges: ["subject"] },
    );

    const key = new tls.PrivateKey(`${name}-key`, rsa, parent);
    const request = new tls.CertRequest(
      `${name}-request`,
      {
        privateKeyPem: key.privateKeyPem,
        subject: { commonName: commonName(args.domain) },
        dnsNames: pulumi.output(args.names).apply((names) => [...names]),
        ...(args.address !== undefined && { ipAddresses: [args.address] }),
      },
      parent,
    );
    const leaf = new tls.LocallySignedCert(
      `${name}-leaf`,
      {
        certRequestPem: request.certRequestPem,
        caPrivateKeyPem: caKey.privateKeyPem,
        caCertPem: ca.certPem,
        // Clients reject a validity above 825 days (https://support.apple.com/en-us/103769).
        validityPeriodHours: days(825),
        earlyRenewalHours: days(renewalDays),
        allowedUses: ["digital_signature", "key_encipherment", "server_auth"],
      },
      parent,
    );

    // Pulumi renews the leaf, but not the CA: clients would have to trust the new CA first.
    pulumi.all([ca.certPem, ca.urn]).apply(([pem, urn]) => {
      const warning = expiryWarning(pem);
      if (warning !== undefined)
        void pulumi.log.warn(
          `the CA of the stack ${warning}: let clients know of another, made by npx pulumi up --replace '${urn}'`,
          this,
        );
    });

    this.crt = pulumi.interpolate`${leaf.certPem}${ca.certPem}`;
    this.key = pulumi.secret(key.privateKeyPem);
    this.caCrt = ca.certPem;
    this.registerOutputs({ crt: this.crt, caCrt: this.caCrt });
  }
}
