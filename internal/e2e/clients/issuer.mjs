// An identity provider on this machine, with one confidential client that asks
// for tokens in its own name (RFC 6749 section 4.4). Its access tokens are JWTs
// (RFC 9068) for the audience that is asked for as a resource (RFC 8707), signed
// as `alg` says. Prints its URL when it listens.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Provider, { errors } from "oidc-provider";

const { client, secret, audiences, alg } = JSON.parse(process.argv[2]);
const pairs = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};
const keys = Object.entries(pairs).map(([name, make]) => ({
  ...make().privateKey.export({ format: "jwk" }), alg: name, use: "sig", kid: name,
}));
const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{
      client_id: client, client_secret: secret, grant_types: ["client_credentials"],
      redirect_uris: [], response_types: [],
    }],
    jwks: { keys },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_, audience) {
          if (!audiences.includes(audience)) throw new errors.InvalidTarget();
          return { audience, scope: "vault", accessTokenFormat: "jwt", accessTokenTTL: 3600, jwt: { sign: { alg } } };
        },
      },
    },
  });
  server.on("request", provider.callback());
  console.log(issuer);
});
