import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.catalina.LifecycleState;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.startup.Tomcat;
import org.apache.tomcat.util.scan.StandardJarScanner;

/**
 * Runs an unpacked UAA in Tomcat, on the loopback address only.
 *
 * <p>Arguments: the folder of the web application, a folder for working files, the port. Ends when
 * its standard input closes, so that it never outlives the test that started it, and on SIGTERM.
 * Exit code 98 means that the port was taken, 99 that the web application did not start.
 */
public final class Main {
  private static final int PORT_TAKEN = 98;
  private static final int START_FAILED = 99;

  private Main() {}

  public static void main(String[] args) throws Exception {
    endWithStandardInput();

    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(args[1]);
    Files.createDirectories(Path.of(args[1], "webapps"));
    tomcat.setPort(Integer.parseInt(args[2]));
    tomcat.getConnector().setProperty("address", "127.0.0.1");

    StandardContext context = (StandardContext) tomcat.addWebapp("", args[0]);
    // Our Groovy must win over the older one within the web application.
    context.setDelegate(true);
    StandardJarScanner scanner = new StandardJarScanner();
    scanner.setScanClassPath(false);
    scanner.setScanManifest(false);
    scanner.setJarScanFilter((type, name) -> false);
    context.setJarScanner(scanner);

    try {
      tomcat.init();
    } catch (Exception e) {
      e.printStackTrace();
      Runtime.getRuntime().halt(PORT_TAKEN);
    }
    if (tomcat.getConnector().getState() != LifecycleState.INITIALIZED) {
      Runtime.getRuntime().halt(PORT_TAKEN);
    }
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(tomcat)));
    tomcat.start();
    // Tomcat itself goes on and answers 404 or 503 for good.
    if (context.getState() != LifecycleState.STARTED) {
      System.exit(START_FAILED);
    }
    tomcat.getServer().await();
  }

  private static void endWithStandardInput() {
    Thread watcher =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // Nothing is said this way; only the end counts.
                }
              } catch (IOException e) {
                // A broken pipe is an end too.
              }
              System.exit(0);
            });
    watcher.setDaemon(true);
    watcher.start();
  }

  private static void stop(Tomcat tomcat) {
    // A start under way holds the lock that stopping needs.
    if (tomcat.getServer().getState() != LifecycleState.STARTED) {
      Runtime.getRuntime().halt(1);
    }
    try {
      tomcat.stop();
      tomcat.destroy();
    } catch (Exception e) {
      e.printStackTrace();
    }
  }
}
