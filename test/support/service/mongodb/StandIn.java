import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.AbstractMongoBackend;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import java.net.InetSocketAddress;
import java.util.List;

/**
 * Speaks MongoDB's protocol where there is no mongod: java -cp 'lib/*' StandIn.java PORT [FILE]
 *
 * Without a file it keeps everything in memory, and is ten times as fast.
 */
public class StandIn {
  /** The least wire version that the Node driver accepts is far above what this server says of itself. */
  private static final MongoVersion REPORTED =
      new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
          return List.of(7, 0, 0);
        }

        @Override
        public int getWireVersion() {
          return 21;
        }
      };

  public static void main(String[] arguments) {
    AbstractMongoBackend store =
        arguments.length > 1 ? new H2Backend(arguments[1]) : new MemoryBackend();
    store.version(REPORTED);
    MongoServer server = new MongoServer(store);
    server.enableOplog();
    server.bind(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    System.out.println("ready");
  }
}
